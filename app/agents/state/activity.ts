import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import { AGENT_TABLES, idsIn } from '#agents/agent_tables'
import type { Clock } from '#timing/clock'
import type { AgentsContext, AgentsLogger } from '#agents/context'
import { raceSignal } from '#timing/race_signal'
import type { AgentKey } from '#agents/types'
import { InFlightRegistry } from '#agents/replicas/in_flight_registry'
import { inBatches } from '#models/batches'

/** A busy agent costs at most one write per interval. */
const WRITE_EVERY_MS = 15_000
/** Statements for different agents are at least this far apart, however many are in use. */
const GATHER_MS = 1000

interface Use {
  inFlight: number
  /** Times are monotonic, so that setting the clock neither ends nor extends an agent's idle time. */
  lastActiveAt: number
  /** When the row was last written. */
  writtenAt: number
  /** Whether the row is out of date. */
  dirty: boolean
  idle: (() => void)[]
}

/**
 * Tracks the use of agents. A request counts as use while it is in flight. Times of use are written to
 * the rows in batches, for the reaper of any process. Report only what a user does, never probes, open
 * tabs or reconnects. Call `begin` before `ensureRunning`, so that the agent is not stopped in between.
 */
export class AgentActivity {
  readonly #clock: Clock
  readonly #logger: AgentsLogger
  readonly #registry: InFlightRegistry
  readonly #uses = new Map<AgentKey, Use>()
  #cancelTimer: () => void = () => {}
  #ringsAt = Infinity
  #rangAt = -Infinity
  #closed = false
  #flushing: Promise<void> | null = null

  constructor(context: Pick<AgentsContext, 'clock' | 'logger' | 'replicaId' | 'replicas'>) {
    this.#clock = context.clock
    this.#logger = context.logger
    this.#registry = new InFlightRegistry(context, context.replicas)
  }

  /** Counts a request in flight until the returned function is called. */
  begin(agent: AgentKey): () => void {
    const use = this.#touched(agent)
    use.inFlight++
    let ended = false
    return () => {
      if (ended) return
      ended = true
      use.inFlight--
      this.#touched(agent)
      if (use.inFlight === 0) use.idle.splice(0).forEach((tell) => tell())
    }
  }

  /** Records user activity other than a request to the agent. */
  touch(agent: AgentKey): void {
    this.#touched(agent)
  }

  inFlight(agent: AgentKey): number {
    return this.#uses.get(agent)?.inFlight ?? 0
  }

  /** Returns the requests that other replicas of Mosaic last published as in flight. */
  inFlightOnOtherReplicas(agent: AgentKey): Promise<number> {
    return this.#registry.ofOthers(agent)
  }

  /** Publishes this process's requests in flight to the other replicas. */
  async publish(): Promise<void> {
    const busy = [...this.#uses].filter(([, { inFlight }]) => inFlight > 0)
    await this.#registry.publish(new Map(busy.map(([agent, { inFlight }]) => [agent, inFlight])))
  }

  /**
   * Returns the agent's last use that this process saw, in milliseconds since the epoch, or null.
   */
  lastActiveAt(agent: AgentKey): number | null {
    const use = this.#uses.get(agent)
    if (!use) return null
    const idleMs = use.inFlight > 0 ? 0 : this.#clock.elapsed() - use.lastActiveAt
    return this.#clock.now() - idleMs
  }

  /** Resolves when no replica of Mosaic has a request in flight; rejects with the signal's reason. */
  async whenIdle(agent: AgentKey, signal: AbortSignal): Promise<void> {
    await this.#whenIdleHere(agent, signal)
    await this.#registry.whenIdle(agent, signal)
  }

  async #whenIdleHere(agent: AgentKey, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const use = this.#uses.get(agent)
    if (!use || use.inFlight === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    use.idle.push(resolve)
    await raceSignal(promise, signal).finally(() => {
      use.idle = use.idle.filter((tell) => tell !== resolve)
    })
  }

  /** Writes all pending times of use. */
  async flush(): Promise<void> {
    await this.#flushing
    await this.#write(() => true)
  }

  /** Writes pending times and stops. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    await this.flush()
  }

  #touched(agent: AgentKey): Use {
    const use = this.#uses.get(agent) ?? newUse()
    this.#uses.set(agent, use)
    use.lastActiveAt = this.#clock.elapsed()
    if (!use.dirty) {
      use.dirty = true
      this.#schedule(use.writtenAt + WRITE_EVERY_MS)
    }
    return use
  }

  /** One timer serves all agents: one statement writes all that are due. */
  #schedule(dueAt: number): void {
    const at = Math.max(dueAt, this.#rangAt + GATHER_MS)
    if (this.#closed || this.#flushing || at >= this.#ringsAt) return
    this.#cancelTimer()
    this.#ringsAt = at
    const delay = Math.max(0, at - this.#clock.elapsed())
    this.#cancelTimer = this.#clock.after(delay, () => void this.#ring(), { background: true })
  }

  async #ring(): Promise<void> {
    this.#ringsAt = Infinity
    const now = this.#clock.elapsed()
    this.#rangAt = now
    await this.#write((use) => use.writtenAt + WRITE_EVERY_MS <= now)
  }

  async #write(isDue: (use: Use) => boolean): Promise<void> {
    const now = this.#clock.elapsed()
    const due = [...this.#uses].filter(([, use]) => use.dirty && isDue(use))
    for (const [, use] of due) {
      use.writtenAt = now
      /** Requests still in flight remain active, and are written again next time. */
      use.dirty = use.inFlight > 0
    }
    this.#flushing = this.#save(due)
    await this.#flushing
    this.#flushing = null
    this.#forget(now)

    let earliest = Infinity
    for (const { dirty, writtenAt } of this.#uses.values()) {
      if (dirty) earliest = Math.min(earliest, writtenAt)
    }
    if (earliest < Infinity) this.#schedule(earliest + WRITE_EVERY_MS)
  }

  async #save(due: [AgentKey, Use][]): Promise<void> {
    const now = this.#clock.now()
    try {
      const agents = due.map(([agent]) => agent)
      for (const kind of AGENT_TABLES) {
        await this.#saveTable(kind.table, kind.column, idsIn(kind, agents), now)
      }
    } catch (error) {
      for (const [, use] of due) use.dirty = true
      this.#logger.warn({ err: error }, 'Could not note when agents were used')
    }
  }

  async #saveTable(table: string, column: string, all: string[], now: number): Promise<void> {
    const { dateTimeFormat } = db.connection().dialect
    const at = DateTime.fromMillis(now).toFormat(dateTimeFormat)
    for (const some of inBatches(all)) {
      await db.from(table).whereIn(column, some).update({ last_active_at: at })
    }
  }

  #forget(now: number): void {
    for (const [agent, use] of this.#uses) {
      const quiet = use.inFlight === 0 && !use.dirty && use.idle.length === 0
      if (quiet && now - use.lastActiveAt > WRITE_EVERY_MS) this.#uses.delete(agent)
    }
  }
}

function newUse(): Use {
  return { inFlight: 0, lastActiveAt: 0, writtenAt: -Infinity, dirty: false, idle: [] }
}

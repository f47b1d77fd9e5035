import { DateTime } from 'luxon'
import type { AgentActivity } from '#agents/state/activity'
import {
  budgetBytes,
  heldBytes,
  restRules,
  roomFor,
  surplus,
  type Rested,
  type RestRules,
} from '#agents/background/rest_rules'
import { expectedAtOf } from '#agents/background/usual_hours'
import type { AgentsContext } from '#agents/context'
import { agentOf, instanceRef } from '#agents/state/agent_repository'
import type { IdleStopper, IdleStopWish } from '#agents/stopping/idle_stopper'
import type { AgentKey, AgentRow } from '#agents/types'
import { within } from '#timing/deadline'
import { inParallel } from '#timing/in_parallel'
import type { RestMode } from '#models/types'
import UserContainer from '#models/user_container'
import type { MachineMemory, MemoryUse, RuntimeDriver } from '#runtimes/contract'

const MINUTE_MS = 60_000
const CONCURRENCY = 8
/** Time limit of one page-out: on a slow disk a gigabyte takes half a minute. */
const PAGE_OUT_MS = 60_000
/** An agent with less resident memory than this counts as paged out. */
const PAGED_OUT_BYTES = 96 * 1024 * 1024

export interface RestStatistics {
  /** Agents that started resting. */
  rested: number
  pagedOut: number
  /** Resting agents stopped for lack of memory or because of the settings. */
  ended: number
  /** Agents that could not be paged out or stopped. */
  failed: number
}

/** How many agents rest, and how many the machine can hold. Sizes in bytes. */
export interface RestOverview {
  mode: RestMode
  resting: number
  residentBytes: number
  swappedBytes: number
  /** Memory limit of resting agents; null = unlimited. */
  budgetBytes: number | null
  /** How many more agents may rest; null = unlimited. */
  room: number | null
  /** Whether the runtime can suspend agents, and move their memory to swap. */
  suspends: boolean
  pagesOut: boolean
  machine: MachineMemory | null
}

interface Row {
  row: UserContainer
  driver: RuntimeDriver
}

type RestedRow = Row & Rested

/**
 * Lets agents rest between uses: suspends them after some idle minutes, moves them to swap after some more,
 * and stops them only after days or if memory runs short. A returning user gets an answer within a second or
 * two.
 */
export class AgentRester {
  readonly #closing = new AbortController()
  #overview: RestOverview | null = null

  constructor(
    protected context: Pick<
      AgentsContext,
      'clock' | 'logger' | 'settings' | 'runtimes' | 'timeouts'
    >,
    protected idleStopper: IdleStopper,
    protected activity: Pick<AgentActivity, 'lastActiveAt'>
  ) {}

  /** State of the last sweep; null before the first. */
  get overview(): RestOverview | null {
    return this.#overview
  }

  /** Aborts a running page-out. */
  close(): void {
    this.#closing.abort()
  }

  /** Runs one sweep. Safe to run concurrently: each change takes the agent's lease. */
  async rest(): Promise<RestStatistics> {
    const rules = await restRules(this.context.settings)
    const machine = await this.#machine()
    const counts: RestStatistics = { rested: 0, pagedOut: 0, ended: 0, failed: 0 }
    const rested = await this.#measured(await this.#rows('suspended'))
    const ended = new Set<Rested>()

    for (const one of surplus(rules, machine, rested)) {
      if ((await this.#change(one.agent, endOf)) === 'stopped') ended.add(one)
      else counts.failed++
    }
    counts.ended = ended.size
    if (counts.ended === 0) {
      counts.rested = await this.#freeze(rules, roomFor(rules, machine, rested))
    }
    const kept = rested.filter((one) => !ended.has(one))
    await this.#pageOut(rules, kept, counts)
    const changed = Object.values(counts).some((count) => count > 0)
    await (changed ? this.#look(rules) : this.#note(rules, machine, rested))
    return counts
  }

  async #freeze(rules: RestRules, room: number): Promise<number> {
    if (room < 1) return 0
    const idle = (await this.#rows('running', rules)).filter(({ driver }) => driver.suspend)
    let rested = 0
    await inParallel(idle.slice(0, room), CONCURRENCY, async ({ row }) => {
      const outcome = await this.#change(agentOf(row), (now) => this.#restOf(now, rules))
      if (outcome === 'suspended') rested++
    })
    return rested
  }

  /** Pages out one agent at a time: it is bound by the disk, or by the CPU that compresses the memory. */
  async #pageOut(rules: RestRules, rows: RestedRow[], counts: RestStatistics): Promise<void> {
    const { clock, logger } = this.context
    for (const { row, driver, use } of rows) {
      const restedMs = this.#idleMs(row) - restAfterMs(row, rules)
      if (!driver.pageOut || restedMs < rules.pageOutAfterMs) continue
      if (!use || use.resident < PAGED_OUT_BYTES || this.#closing.signal.aborted) continue
      try {
        await within(clock, PAGE_OUT_MS, this.#closing.signal, (signal) =>
          driver.pageOut!(instanceRef(row), { signal })
        )
        counts.pagedOut++
      } catch (error) {
        if (this.#closing.signal.aborted) return
        logger.warn({ err: error, agent: agentOf(row) }, 'Could not move an agent to swap')
        counts.failed++
      }
    }
  }

  /** Measures again, after a sweep that changed something. */
  async #look(rules: RestRules): Promise<void> {
    const rested = await this.#measured(await this.#rows('suspended'))
    await this.#note(rules, await this.#machine(), rested)
  }

  async #note(rules: RestRules, machine: MachineMemory | null, rested: Rested[]): Promise<void> {
    const driver = await this.#driver()
    const room = driver?.suspend ? roomFor(rules, machine, rested) : 0
    this.#overview = {
      mode: rules.mode,
      resting: rested.length,
      residentBytes: heldBytes(rested),
      swappedBytes: rested.reduce((sum, { use }) => sum + (use?.swapped ?? 0), 0),
      budgetBytes: budgetBytes(rules, machine),
      room: Number.isFinite(room) ? room : null,
      suspends: Boolean(driver?.suspend),
      pagesOut: Boolean(driver?.capabilities.pageOut && machine && machine.swapTotal > 0),
      machine,
    }
  }

  /** Returns users' agents in this state; with rules, only those that are due to rest. */
  async #rows(status: 'running' | 'suspended', rules?: RestRules): Promise<Row[]> {
    const { clock, runtimes } = this.context
    const query = UserContainer.query().where('status', status).orderBy('last_active_at')
    if (rules) {
      const latest = DateTime.fromMillis(clock.now() - Math.min(rules.afterMs, MINUTE_MS))
      void query
        .where('last_active_at', '<=', latest.toFormat(query.client.dialect.dateTimeFormat))
        .whereRaw(`coalesce(wake_policy, ?) = 'scale_to_zero'`, [rules.policy])
    }
    const found: Row[] = []
    for (const row of await query) {
      if (!row.runtime || !runtimes.names().includes(row.runtime)) continue
      if (rules && !this.#restOf(row, rules)) continue
      found.push({ row, driver: await runtimes.use(row.runtime) })
    }
    return found
  }

  /**
   * Returns the wish to rest, or null if the agent was used meanwhile. Its own work keeps it awake, as with
   * any idle stop.
   */
  #restOf(row: AgentRow, rules: RestRules): IdleStopWish | null {
    if (!(row instanceof UserContainer) || row.status !== 'running') return null
    if ((row.wakePolicy ?? rules.policy) !== 'scale_to_zero') return null
    return this.#idleMs(row) < restAfterMs(row, rules) ? null : { kind: 'rest' }
  }

  #idleMs(row: UserContainer): number {
    const active = this.activity.lastActiveAt(agentOf(row)) ?? 0
    const now = this.context.clock.now()
    const latest = [row.lastActiveAt?.toMillis() ?? 0, expectedAtOf(row, now), active]
    return now - Math.max(...latest)
  }

  async #measured(rows: Row[]): Promise<RestedRow[]> {
    const rested: RestedRow[] = []
    await inParallel(rows, CONCURRENCY, async ({ row, driver }) => {
      const use = await this.#used(driver, row)
      rested.push({
        row,
        driver,
        agent: agentOf(row),
        lastActiveAt: row.lastActiveAt?.toMillis() ?? 0,
        use,
      })
    })
    return rested
  }

  /** Returns null if the runtime does not say, or not in time. */
  async #used(driver: RuntimeDriver, row: AgentRow): Promise<MemoryUse | null> {
    const { clock, timeouts } = this.context
    if (!driver.usage) return null
    const look = () => driver.usage!(instanceRef(row))
    return within(clock, timeouts.inspectMs, undefined, look).catch(() => null)
  }

  async #change(agent: AgentKey, wish: (row: AgentRow) => IdleStopWish | null) {
    try {
      return await this.idleStopper.stop(agent, wish)
    } catch (error) {
      this.context.logger.warn({ err: error, agent }, 'Could not rest an agent, or end its rest')
      return 'failed'
    }
  }

  async #machine(): Promise<MachineMemory | null> {
    const { clock, timeouts } = this.context
    const driver = await this.#driver()
    if (!driver?.memory) return null
    return within(clock, timeouts.inspectMs, undefined, () => driver.memory!()).catch(() => null)
  }

  async #driver(): Promise<RuntimeDriver | null> {
    const { runtimes, settings } = this.context
    return runtimes.use(await settings.get('runtime.driver')).catch(() => null)
  }
}

/** Returns an agent's idle time until it rests: its owner's idle timeout, if that is shorter. */
function restAfterMs(row: UserContainer, { afterMs }: RestRules): number {
  return Math.min(afterMs, row.idleTimeoutMin * MINUTE_MS)
}

function endOf(row: AgentRow): IdleStopWish | null {
  return row.status === 'suspended' ? { kind: 'stop' } : null
}

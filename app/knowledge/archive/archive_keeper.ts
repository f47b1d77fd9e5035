import type { Logger } from '@adonisjs/core/logger'
import { LRUCache } from 'lru-cache'
import type { ArchiveIngestion, ConversationSource } from '#knowledge/archive/archive_ingestion'
import type { Clock } from '#timing/clock'
import { DeadlineExceeded, within } from '#timing/deadline'
import { ownerOf, type AgentName } from '#openclaw/agent_name'

/** Delay after a chat in milliseconds: the agent stores the chat meanwhile, and further chats are batched. */
const SETTLE_MS = 3000

/** How long a stop waits for the archive, in milliseconds; the next run reads what was missed. */
const SLEEP_MS = 10_000

/**
 * How long an owner without an archive is not asked for again, in milliseconds. Another replica that turned it
 * on is noticed then; a stop reads what was missed.
 */
const OFF_MS = 60_000

const MOST_OWNERS = 10_000

/** An agent's gateway. */
export interface Gateway {
  url: string
  token: string
}

export interface ArchiveKeeperParts {
  ingestion: Pick<ArchiveIngestion, 'ingest'>
  /** Returns a running agent's gateway, or null if this process knows of none. */
  gatewayOf(agent: AgentName): Gateway | null
  sourceAt(gateway: Gateway): ConversationSource
  logger: Pick<Logger, 'warn'>
  clock: Clock
}

interface PlannedRun {
  cancel: () => void
  /** Whether another chat has ended meanwhile. Its agent may not have stored it by this run. */
  again: boolean
}

/**
 * Keeps the archive up to date: ingests soon after each chat, and before each agent is suspended or stopped.
 * Runs once per agent at a time, never delays a chat, and logs failures without reporting them to anyone.
 */
export class ArchiveKeeper {
  readonly #parts: ArchiveKeeperParts
  readonly #planned = new Map<AgentName, PlannedRun>()
  readonly #running = new Map<AgentName, Promise<unknown>>()
  /** Agents whose owners have no archive: nothing is scheduled for them. */
  readonly #off: LRUCache<AgentName, true>
  readonly #closing = new AbortController()

  constructor(parts: ArchiveKeeperParts) {
    this.#parts = parts
    const perf = { now: () => parts.clock.elapsed() }
    this.#off = new LRUCache({ max: MOST_OWNERS, ttl: OFF_MS, ttlResolution: 0, perf })
  }

  /** Schedules an ingestion. Does not delay the chat that ended. */
  chatEnded(agent: AgentName): void {
    if (this.#off.has(agent)) return
    const planned = this.#planned.get(agent)
    if (planned) planned.again = true
    else this.#plan(agent)
  }

  /** The owner has turned the archive on or off: what the agent has already is read as after a chat. */
  settingsChanged(agent: AgentName): void {
    this.#off.delete(agent)
    this.chatEnded(agent)
  }

  /** Resolves in time, whether or not the ingestion succeeds. */
  async beforeSleep(agent: AgentName, gateway: Gateway): Promise<void> {
    this.#planned.get(agent)?.cancel()
    this.#planned.delete(agent)
    const { clock } = this.#parts
    await this.#quietly(agent, () =>
      within(clock, SLEEP_MS, undefined, async () => {
        /** A run that has begun may not see the last messages. */
        await this.#running.get(agent)?.catch(() => {})
        await this.#ingest(agent, gateway)
      })
    )
  }

  /**
   * Cancels scheduled ingestions and interrupts running ones; the next start makes up for both. Waits until
   * none is running, but no longer than for an idle stop.
   */
  async close(): Promise<void> {
    for (const { cancel } of this.#planned.values()) cancel()
    this.#planned.clear()
    this.#closing.abort(new Error('Mosaic is stopping'))
    const running = this.#running.values()
    await within(this.#parts.clock, SLEEP_MS, undefined, async () => {
      await Promise.allSettled(running)
    }).catch(() => {})
  }

  #plan(agent: AgentName): void {
    const run = () => {
      this.#planned.delete(agent)
      const isRunning = this.#running.has(agent)
      if (planned.again || isRunning) this.#plan(agent)
      const gateway = this.#parts.gatewayOf(agent)
      if (gateway && !isRunning) void this.#quietly(agent, () => this.#ingest(agent, gateway))
    }
    const cancel = this.#parts.clock.after(SETTLE_MS, run, { background: true })
    const planned: PlannedRun = { cancel, again: false }
    this.#planned.set(agent, planned)
  }

  /** @throws whatever the agent's gateway throws */
  async #ingest(agent: AgentName, gateway: Gateway): Promise<void> {
    const userId = ownerOf(agent)
    if (!userId) return
    const { ingestion, sourceAt } = this.#parts
    const reading = ingestion.ingest(userId, sourceAt(gateway), this.#closing.signal)
    this.#running.set(agent, reading)
    try {
      if ((await reading) === null) this.#off.set(agent, true)
    } finally {
      this.#running.delete(agent)
    }
  }

  async #quietly(agent: AgentName, ingest: () => Promise<void>): Promise<void> {
    try {
      await ingest()
    } catch (err) {
      if (err instanceof DeadlineExceeded || this.#closing.signal.aborted) return
      this.#parts.logger.warn({ err, agent }, 'The archive could not be brought up to date')
    }
  }
}

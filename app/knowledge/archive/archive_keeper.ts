import type { Logger } from '@adonisjs/core/logger'
import type { ArchiveIngestion, ConversationSource } from '#knowledge/archive/archive_ingestion'
import type { Clock } from '#timing/clock'
import { DeadlineExceeded, within } from '#timing/deadline'
import { ownerOf, type AgentName } from '#openclaw/agent_name'

/** Delay after a chat in milliseconds: the agent stores the chat meanwhile, and further chats are batched. */
const SETTLE_MS = 3000

/** How long an idle stop waits for the archive, in milliseconds; the next run reads what was missed. */
const SLEEP_MS = 10_000

/** Returns the conversation source of a running agent, or null if it is not running. */
export type SourceOf = (agent: AgentName) => ConversationSource | null

/**
 * Keeps the archive up to date: ingests soon after each chat and before each idle stop. Runs once per agent
 * at a time, never delays a chat, and logs failures without reporting them to anyone.
 */
export class ArchiveKeeper {
  readonly #planned = new Map<AgentName, () => void>()
  readonly #running = new Map<AgentName, Promise<number>>()
  readonly #closing = new AbortController()

  constructor(
    protected ingestion: ArchiveIngestion,
    protected sourceOf: SourceOf,
    protected logger: Pick<Logger, 'warn'>,
    protected clock: Clock
  ) {}

  /** Schedules an ingestion. Does not delay the chat that ended. */
  chatEnded(agent: AgentName): void {
    this.#planned.get(agent)?.()
    const read = () => {
      this.#planned.delete(agent)
      void this.#quietly(agent, this.ingest(agent))
    }
    this.#planned.set(agent, this.clock.after(SETTLE_MS, read, { background: true }))
  }

  /** Resolves in time, whether or not the ingestion succeeds. */
  async beforeSleep(agent: AgentName): Promise<void> {
    this.#planned.get(agent)?.()
    this.#planned.delete(agent)
    const reading = within(this.clock, SLEEP_MS, undefined, () => this.ingest(agent))
    await this.#quietly(agent, reading)
  }

  /** Ingests now. Returns the number of messages added. @throws whatever the agent's gateway throws */
  ingest(agent: AgentName): Promise<number> {
    const running = this.#running.get(agent)
    if (running) return running
    const userId = ownerOf(agent)
    const source = userId && this.sourceOf(agent)
    if (!userId || !source) return Promise.resolve(0)
    const reading = this.ingestion.ingest(userId, source, this.#closing.signal)
    this.#running.set(agent, reading)
    const forget = () => this.#running.delete(agent)
    reading.then(forget, forget)
    return reading
  }

  /**
   * Cancels scheduled ingestions and interrupts running ones; the next start makes up for both. Waits until
   * none is running, but no longer than for an idle stop.
   */
  async close(): Promise<void> {
    for (const cancel of this.#planned.values()) cancel()
    this.#planned.clear()
    this.#closing.abort(new Error('Mosaic is stopping'))
    const running = this.#running.values()
    await within(this.clock, SLEEP_MS, undefined, async () => {
      await Promise.allSettled(running)
    }).catch(() => {})
  }

  async #quietly(agent: AgentName, reading: Promise<number>): Promise<void> {
    try {
      await reading
    } catch (err) {
      if (err instanceof DeadlineExceeded || this.#closing.signal.aborted) return
      this.logger.warn({ err, agent }, 'The archive could not be brought up to date')
    }
  }
}

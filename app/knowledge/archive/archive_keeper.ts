import type { Logger } from '@adonisjs/core/logger'
import type { ArchiveIngestion, ConversationSource } from '#knowledge/archive/archive_ingestion'
import type { Clock } from '#timing/clock'
import { DeadlineExceeded, within } from '#timing/deadline'
import { ownerOf, type AgentName } from '#openclaw/agent_name'

/** Milliseconds after a chat in which its agent writes it down, and more chats may follow. */
const SETTLE_MS = 3000

/** Milliseconds that a sleep waits for the archive; what it misses then is read next time. */
const SLEEP_MS = 10_000

/** Where the conversations of a running agent are; null for one that is not running. */
export type SourceOf = (agent: AgentName) => ConversationSource | null

/**
 * Has the archive follow what is said: soon after each chat, and before each sleep. One reading of an agent at a
 * time; no chat waits for one, and none that fails is told to a person.
 */
export class ArchiveKeeper {
  readonly #planned = new Map<AgentName, () => void>()
  readonly #running = new Map<AgentName, Promise<number>>()

  constructor(
    protected ingestion: ArchiveIngestion,
    protected sourceOf: SourceOf,
    protected logger: Pick<Logger, 'warn'>,
    protected clock: Clock
  ) {}

  /** Costs the chat that ended nothing. */
  chatEnded(agent: AgentName): void {
    this.#planned.get(agent)?.()
    const read = () => {
      this.#planned.delete(agent)
      void this.#quietly(agent, this.ingest(agent))
    }
    this.#planned.set(agent, this.clock.after(SETTLE_MS, read, { background: true }))
  }

  /** Resolves in time, whatever becomes of the reading. */
  async beforeSleep(agent: AgentName): Promise<void> {
    this.#planned.get(agent)?.()
    this.#planned.delete(agent)
    const reading = within(this.clock, SLEEP_MS, undefined, () => this.ingest(agent))
    await this.#quietly(agent, reading)
  }

  /** Reads now. Returns how many messages were added. @throws what the agent's gateway throws */
  ingest(agent: AgentName): Promise<number> {
    const running = this.#running.get(agent)
    if (running) return running
    const userId = ownerOf(agent)
    const source = userId && this.sourceOf(agent)
    if (!userId || !source) return Promise.resolve(0)
    const reading = this.ingestion.ingest(userId, source)
    this.#running.set(agent, reading)
    const forget = () => this.#running.delete(agent)
    reading.then(forget, forget)
    return reading
  }

  /** Forgets what is planned: the next start reads it. */
  async close(): Promise<void> {
    for (const cancel of this.#planned.values()) cancel()
    this.#planned.clear()
    await Promise.allSettled(this.#running.values())
  }

  async #quietly(agent: AgentName, reading: Promise<number>): Promise<void> {
    try {
      await reading
    } catch (err) {
      if (err instanceof DeadlineExceeded) return
      this.logger.warn({ err, agent }, 'The archive could not be brought up to date')
    }
  }
}

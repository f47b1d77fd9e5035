import db from '@adonisjs/lucid/services/db'
import type { Logger } from '@adonisjs/core/logger'
import { PROVIDER_FAILURES, type ProviderFailure } from '#llm_relay/provider_failures'
import { sentence } from '#llm_relay/verdict'
import { ownerOf, type AgentName } from '#openclaw/agent_name'
import { systemClock } from '#timing/clock'

const TABLE = 'provider_failures'

/** Milliseconds by which the clocks of two replicas may differ. */
const CLOCKS_MS = 2000

/** Milliseconds between two writes for one user, whose calls may fail hundreds of times a second. */
const PAUSE_MS = 100

/** What is written next for a user. */
interface Waiting {
  row: Record<string, unknown>
  isWritten: PromiseWithResolvers<void>
}

/**
 * Tells the other replicas of Mosaic why a provider failed a user's agent: its calls may reach another replica
 * than the one that carries the chat. One row a user, without any text of the service. A lone replica writes
 * and reads none. Never rejects: without a reason, the chat still tells that it failed.
 */
export class SharedFailures {
  readonly #waiting = new Map<string, Waiting>()
  readonly #writers = new Set<string>()

  constructor(
    protected replicas: { readonly alone: boolean },
    protected logger: Logger
  ) {}

  /** Writes the failure. Of several that wait for an earlier write, only the last one is written. */
  async write(agent: AgentName, { at, ...failure }: ProviderFailure): Promise<void> {
    const userId = ownerOf(agent)
    if (this.replicas.alone || !userId) return
    const { provider, reason, status = null, retryAfterSec = null } = failure
    const told = { user_id: userId, provider, reason, status, retry_after_sec: retryAfterSec }
    const row = { ...told, at: at.getTime() }
    const { isWritten } = this.#waiting.get(userId) ?? { isWritten: Promise.withResolvers<void>() }
    this.#waiting.set(userId, { row, isWritten })
    if (!this.#writers.has(userId)) void this.#writeAll(userId)
    await isWritten.promise
  }

  /** Writes what waits for one user, one after the other. */
  async #writeAll(userId: string): Promise<void> {
    this.#writers.add(userId)
    for (let next; (next = this.#waiting.get(userId));) {
      this.#waiting.delete(userId)
      await this.#put(next.row)
      next.isWritten.resolve()
      await systemClock.wait(PAUSE_MS)
    }
    this.#writers.delete(userId)
  }

  async #put(row: Waiting['row']): Promise<void> {
    await db
      .table(TABLE)
      .insert(row)
      .knexQuery.onConflict('user_id')
      .merge()
      .catch((error: unknown) => this.#warn(error))
  }

  /** Returns the agent's last failure since `since`, or null. */
  async read(agent: AgentName, since: Date): Promise<ProviderFailure | null> {
    const userId = ownerOf(agent)
    if (this.replicas.alone || !userId) return null
    try {
      const row = await db
        .from(TABLE)
        .where('user_id', userId)
        .where('at', '>=', since.getTime() - CLOCKS_MS)
        .first()
      return row && toFailure(row)
    } catch (error) {
      this.#warn(error)
      return null
    }
  }

  #warn(error: unknown): void {
    this.logger.warn({ err: error }, 'Could not tell another replica why a provider failed')
  }
}

/** Returns null for a reason that only a newer Mosaic knows. */
function toFailure(row: Record<string, any>): ProviderFailure | null {
  const reason = PROVIDER_FAILURES.find((known) => known === row.reason)
  if (!reason) return null
  const { provider, status, retry_after_sec: retryAfterSec } = row
  return {
    ...{ provider, reason, message: sentence(reason, provider), at: new Date(Number(row.at)) },
    ...(status !== null && { status }),
    ...(retryAfterSec !== null && { retryAfterSec }),
  }
}

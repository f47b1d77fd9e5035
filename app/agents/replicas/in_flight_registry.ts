import db from '@adonisjs/lucid/services/db'
import type { AgentsContext, Replicas } from '#agents/context'
import { timeOf } from '#agents/replicas/replica_registry'
import type { AgentKey } from '#agents/types'

const TABLE = 'agent_uses'
/** Copies bring the board up to date so often. */
export const PUBLISH_EVERY_MS = 1000
/** Rows in one statement. */
const BATCH = 250
/** How soon another copy's last request is known to have ended. */
const LOOK_MS = 250
/** What a copy has in flight is on the board by then. */
const PUBLISHED_MS = PUBLISH_EVERY_MS * 1.5

/**
 * Which agents have requests in flight in which copy of Mosaic, so that none is stopped in the middle of
 * what it does for another. Written in batches, by `publish`, and only where there are other copies.
 */
export class InFlightRegistry {
  readonly #context: Pick<AgentsContext, 'copy' | 'clock'>
  readonly #copies: Replicas
  /** What the board has of this copy. */
  #published = new Map<AgentKey, number>()

  constructor(context: Pick<AgentsContext, 'copy' | 'clock'>, copies: Replicas) {
    this.#context = context
    this.#copies = copies
  }

  /** Brings the board up to date: these agents have so many requests in flight here, and no others. */
  async publish(inFlight: ReadonlyMap<AgentKey, number>): Promise<void> {
    if (this.#copies.alone) return
    const { copy, clock } = this.#context
    const gone = [...this.#published.keys()].filter((agent) => !inFlight.has(agent))
    const changed = [...inFlight].filter(([agent, count]) => this.#published.get(agent) !== count)
    const now = timeOf(clock.now())
    if (gone.length > 0) await db.from(TABLE).where('copy', copy).whereIn('agent', gone).delete()
    for (let from = 0; from < changed.length; from += BATCH) {
      const rows = changed.slice(from, from + BATCH).map(([agent, count]) => ({
        agent,
        copy,
        in_flight: count,
        created_at: now,
        updated_at: now,
      }))
      await db
        .table(TABLE)
        .multiInsert(rows)
        .knexQuery.onConflict(['agent', 'copy'])
        .merge(['in_flight', 'updated_at'])
    }
    this.#published = new Map(inFlight)
  }

  /** Requests that other copies have in flight. */
  async elsewhere(agent: AgentKey): Promise<number> {
    if (this.#copies.alone) return 0
    const row: { total: number | string | null } | null = await db
      .from(TABLE)
      .where('agent', agent)
      .whereNot('copy', this.#context.copy)
      .sum('in_flight as total')
      .first()
    return Number(row?.total ?? 0)
  }

  /**
   * Resolves when no other copy has a request in flight; rejects with the signal's reason. What another
   * one began a moment ago is not on the board yet, so this takes a little longer than that.
   */
  async whenIdle(agent: AgentKey, signal: AbortSignal): Promise<void> {
    if (this.#copies.alone) return
    await this.#context.clock.wait(PUBLISHED_MS, signal)
    while ((await this.elsewhere(agent)) > 0) await this.#context.clock.wait(LOOK_MS, signal)
  }
}

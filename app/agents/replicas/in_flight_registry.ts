import db from '@adonisjs/lucid/services/db'
import type { AgentsContext, Replicas } from '#agents/context'
import { timeOf } from '#agents/replicas/replica_registry'
import type { AgentKey } from '#agents/types'
import { inBatches } from '#models/batches'

const TABLE = 'agent_uses'
/** How often a replica publishes its requests in flight, in milliseconds. */
export const PUBLISH_EVERY_MS = 1000
/** Rows per statement. */
const BATCH = 250
/** Poll interval while waiting for another replica's last request to end. */
const LOOK_MS = 250
/** A replica publishes a new request within this time. */
const PUBLISHED_MS = PUBLISH_EVERY_MS * 1.5

/**
 * Requests in flight by agent and replica of Mosaic, so that one replica does not stop an agent that is
 * serving another. `publish` writes them in batches. A lone replica adds none, but removes what it published: a
 * command such as `reap:idle` is a replica for a second or two.
 */
export class InFlightRegistry {
  readonly #context: Pick<AgentsContext, 'replicaId' | 'clock'>
  readonly #replicas: Replicas
  /** The counts that this replica has published. */
  #published = new Map<AgentKey, number>()
  /** Of this replica, when it published them. */
  #generation = 0

  constructor(context: Pick<AgentsContext, 'replicaId' | 'clock'>, replicas: Replicas) {
    this.#context = context
    this.#replicas = replicas
  }

  /** Publishes this replica's requests in flight by agent. Absent agents have none. */
  async publish(inFlight: ReadonlyMap<AgentKey, number>): Promise<void> {
    const { replicaId, clock } = this.#context
    this.#forgetDeleted()
    const told = [...inFlight].filter(
      ([agent]) => this.#published.has(agent) || !this.#replicas.alone
    )
    const gone = [...this.#published.keys()].filter((agent) => !inFlight.has(agent))
    const changed = told.filter(([agent, count]) => this.#published.get(agent) !== count)
    const now = timeOf(clock.now())
    for (const some of inBatches(gone, BATCH)) {
      await db.from(TABLE).where('replica_id', replicaId).whereIn('agent', some).delete()
    }
    for (const some of inBatches(changed, BATCH)) {
      const rows = some.map(([agent, count]) => ({
        agent,
        replica_id: replicaId,
        in_flight: count,
        created_at: now,
        updated_at: now,
      }))
      await db
        .table(TABLE)
        .multiInsert(rows)
        .knexQuery.onConflict(['agent', 'replica_id'])
        .merge(['in_flight', 'updated_at'])
    }
    this.#published = new Map(told)
  }

  /** A replica that was presumed dead, and goes on, publishes its requests again. */
  #forgetDeleted(): void {
    const { generation } = this.#replicas
    if (generation !== this.#generation) this.#published.clear()
    this.#generation = generation
  }

  /** Returns the number of requests in flight in other replicas. */
  async ofOthers(agent: AgentKey): Promise<number> {
    if (this.#replicas.alone) return 0
    const row: { total: number | string | null } | null = await db
      .from(TABLE)
      .where('agent', agent)
      .whereNot('replica_id', this.#context.replicaId)
      .sum('in_flight as total')
      .first()
    return Number(row?.total ?? 0)
  }

  /**
   * Resolves when no other replica has a request in flight; rejects with the signal's reason. First
   * waits long enough for the others to publish requests that have just begun.
   */
  async whenIdle(agent: AgentKey, signal: AbortSignal): Promise<void> {
    if (this.#replicas.alone) return
    await this.#context.clock.wait(PUBLISHED_MS, signal)
    while ((await this.ofOthers(agent)) > 0) await this.#context.clock.wait(LOOK_MS, signal)
  }
}

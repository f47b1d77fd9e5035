import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { DatabaseQueryBuilderContract } from '@adonisjs/lucid/types/querybuilder'
import { AGENT_TABLES, idsIn, rowOf } from '#agents/agent_tables'
import type { Clock } from '#timing/clock'
import type { AgentsContext } from '#agents/context'
import { HELD, type LeaseStore } from '#agents/leases/lease_manager'
import type { AgentKey } from '#agents/types'
import { inBatches } from '#models/batches'

const COLUMNS = ['lease_owner', 'lease_fence', 'lease_expires_at']

/** A lease's columns. */
interface LeaseColumns {
  lease_owner: string | null
  lease_fence: number | string
  lease_expires_at: unknown
}

/** A lease of another replica, and since when it has not been renewed. */
interface Listed {
  mark: string
  since: number
}

/**
 * Stores leases as columns of the agents' rows. A single conditional update takes, renews or releases
 * one.
 *
 * A lease expires once this process has observed it unchanged for the lease time on its own monotonic
 * clock. Other machines' clocks do not matter: setting a clock neither loses a lease nor keeps one for
 * ever. Each renewal changes `lease_expires_at`, which also informs people who read the row.
 */
export class DatabaseLeaseStore implements LeaseStore {
  readonly #replicaId: string
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #observed = new Map<AgentKey, Listed>()

  constructor({
    replicaId,
    clock,
    timeouts,
  }: Pick<AgentsContext, 'replicaId' | 'clock' | 'timeouts'>) {
    this.#replicaId = replicaId
    this.#clock = clock
    this.#leaseMs = timeouts.leaseMs
  }

  async take(agent: AgentKey): Promise<number | null | typeof HELD> {
    /** This process may have failed to release its own lease because the database was unavailable. */
    const free = await this.#take(agent, (query) =>
      query.where((either) =>
        either.whereNull('lease_owner').orWhere('lease_owner', this.#replicaId)
      )
    )
    if (free !== null) return free

    const { table, column, id } = rowOf(agent)
    const row: LeaseColumns | null = await db.from(table).select(COLUMNS).where(column, id).first()
    if (!row) return null
    if (!this.#isExpired(agent, row)) return HELD
    const expired = await this.#take(agent, (query) =>
      query.where('lease_owner', row.lease_owner!).where('lease_fence', row.lease_fence)
    )
    return expired ?? HELD
  }

  async renew(held: ReadonlyMap<AgentKey, number>): Promise<AgentKey[]> {
    const kept = new Set<AgentKey>()
    for (const kind of AGENT_TABLES) {
      for (const ids of inBatches(idsIn(kind, held.keys()))) {
        const query = db
          .from(kind.table)
          .where('lease_owner', this.#replicaId)
          .whereIn(kind.column, ids)
          .update({ lease_expires_at: this.#expiry() })
        query.knexQuery.returning([kind.column, 'lease_fence'])
        for (const { [kind.column]: id, lease_fence: fence } of await query) {
          const agent = `${kind.prefix}${id}` as AgentKey
          if (held.get(agent) === Number(fence)) kept.add(agent)
        }
      }
    }
    return [...held.keys()].filter((agent) => !kept.has(agent))
  }

  async giveBack(agent: AgentKey, fence: number): Promise<void> {
    const { table, column, id } = rowOf(agent)
    await db
      .from(table)
      .where(column, id)
      .where('lease_owner', this.#replicaId)
      .where('lease_fence', fence)
      .update({ lease_owner: null, lease_expires_at: null })
  }

  async expired(): Promise<AgentKey[]> {
    return this.#expired().catch((error: unknown) => {
      /** No replica can renew its leases while the database is unavailable, so their time restarts. */
      this.#observed.clear()
      throw error
    })
  }

  async #take(
    agent: AgentKey,
    condition: (query: DatabaseQueryBuilderContract) => DatabaseQueryBuilderContract
  ): Promise<number | null> {
    const { table, column, id } = rowOf(agent)
    const query = condition(db.from(table).where(column, id)).update({
      lease_owner: this.#replicaId,
      lease_expires_at: this.#expiry(),
      lease_fence: db.raw('lease_fence + 1'),
    })
    query.knexQuery.returning('lease_fence')
    const [row] = await query
    if (!row) return null
    this.#observed.delete(agent)
    return Number(row.lease_fence)
  }

  async #expired(): Promise<AgentKey[]> {
    const expired: AgentKey[] = []
    const held = new Set<AgentKey>()
    for (const { prefix, table, column } of AGENT_TABLES) {
      const rows: (LeaseColumns & Record<string, string>)[] = await db
        .from(table)
        .select(column, ...COLUMNS)
        .whereNotNull('lease_owner')
        .whereNot('lease_owner', this.#replicaId)
      for (const row of rows) {
        const agent = `${prefix}${row[column]}` as AgentKey
        held.add(agent)
        if (this.#isExpired(agent, row)) expired.push(agent)
      }
    }
    for (const agent of this.#observed.keys()) if (!held.has(agent)) this.#observed.delete(agent)
    return expired
  }

  #isExpired(agent: AgentKey, row: LeaseColumns): boolean {
    const mark = `${row.lease_owner} ${row.lease_fence} ${String(row.lease_expires_at)}`
    const now = this.#clock.elapsed()
    const listed = this.#observed.get(agent)
    if (listed?.mark === mark) return now - listed.since >= this.#leaseMs
    this.#observed.set(agent, { mark, since: now })
    return false
  }

  #expiry(): string {
    const { dateTimeFormat } = db.connection().dialect
    return DateTime.fromMillis(this.#clock.now() + this.#leaseMs).toFormat(dateTimeFormat)
  }
}

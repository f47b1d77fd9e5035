import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import { AGENT_TABLES, idsIn } from '#agents/agent_tables'
import type { AgentsContext } from '#agents/context'
import { timeOf } from '#agents/replicas/replica_registry'
import type { AgentKey } from '#agents/types'
import { inBatches } from '#models/batches'

/** More than the clocks of synchronised machines differ, and the time a statement takes. */
const OVERLAP_MS = 10_000

/** The part of an agent's row that the other replicas care about. */
export interface ChangedRow {
  agent: AgentKey
  status: string
  desired: string
  statusReason: string | null
  endpoint: string | null
  tokenHash: string | null
}

type Kind = (typeof AGENT_TABLES)[number]
type Row = Record<string, string | null> & { updated_at: Date | string }

/**
 * Reads the agents' rows that any replica changed lately. The cost grows with the number of changes, not with
 * the number of agents. Rows come more than once. A replica whose clock is behind hides its changes: compare
 * with `of` from time to time.
 */
export class RecentChanges {
  readonly #clock: AgentsContext['clock']
  /** The latest change seen of each table, by the clocks of those who wrote, in milliseconds of the epoch. */
  readonly #seen = new Map<Kind, number>()

  constructor(clock: AgentsContext['clock']) {
    this.#clock = clock
  }

  /** Returns the rows that have changed since the last call, and a few seconds before. */
  async recent(): Promise<ChangedRow[]> {
    const changed: ChangedRow[] = []
    for (const kind of AGENT_TABLES) {
      const seen = this.#seen.get(kind) ?? (await this.#latest(kind))
      /** A replica whose clock is ahead would otherwise hide the changes of all others. */
      const since = Math.min(seen, this.#clock.now()) - OVERLAP_MS
      const rows: Row[] = await select(kind).where('updated_at', '>=', timeOf(since))
      this.#seen.set(kind, seen)
      for (const row of rows) {
        changed.push(toChanged(kind, row))
        this.#seen.set(kind, Math.max(this.#seen.get(kind)!, millisecondsOf(row.updated_at)))
      }
    }
    return changed
  }

  /** Returns the rows of these agents, changed or not. */
  async of(agents: Iterable<AgentKey>): Promise<ChangedRow[]> {
    const all = [...agents]
    const found: ChangedRow[] = []
    for (const kind of AGENT_TABLES) {
      for (const some of inBatches(idsIn(kind, all))) {
        const rows: Row[] = await select(kind).whereIn(kind.column, some)
        found.push(...rows.map((row) => toChanged(kind, row)))
      }
    }
    return found
  }

  async #latest({ table }: Kind): Promise<number> {
    const row: Pick<Row, 'updated_at'> | null = await db
      .from(table)
      .select('updated_at')
      .orderBy('updated_at', 'desc')
      .first()
    return row ? millisecondsOf(row.updated_at) : this.#clock.now()
  }
}

function select({ table, column }: Kind) {
  const columns = ['status', 'desired', 'status_reason', 'endpoint', 'gateway_token_hash']
  return db.from(table).select(column, ...columns, 'updated_at')
}

function toChanged({ prefix, column }: Kind, row: Row): ChangedRow {
  return {
    agent: `${prefix}${row[column]}` as AgentKey,
    status: row.status!,
    desired: row.desired!,
    statusReason: row.status_reason,
    endpoint: row.endpoint,
    tokenHash: row.gateway_token_hash,
  }
}

/** PostgreSQL's driver returns dates, SQLite's the text. */
function millisecondsOf(time: Date | string): number {
  return time instanceof Date ? time.getTime() : DateTime.fromSQL(time).toMillis()
}

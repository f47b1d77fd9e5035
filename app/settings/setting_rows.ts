import { DateTime } from 'luxon'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import SystemConfig from '#models/system_config'

/** How long another replica's change may go unnoticed, in milliseconds. */
const SNAPSHOT_AGE_MS = 2000

/** A row as it is stored: its value is JSON, or sealed with the row's ID. */
export type NewSettingRow = Pick<SystemConfig, 'id' | 'key' | 'value' | 'encrypted'>

export type SettingRowsByKey = ReadonlyMap<string, SystemConfig>

/**
 * The rows of `system_configs`. Reads use a snapshot of the whole (small) table that is at most two seconds old, and
 * current after this process writes.
 */
export class SettingRows {
  #snapshot: { rows: SettingRowsByKey; at: number } | null = null
  /** Reads so far, and the latest one that a snapshot may be older than. */
  #begun = 0
  #outdated = 0

  constructor(protected now: () => number) {}

  async all(): Promise<SettingRowsByKey> {
    /** A snapshot from the future dates from before the clock was set back. */
    const isFresh = this.#snapshot && Math.abs(this.now() - this.#snapshot.at) <= SNAPSHOT_AGE_MS
    if (isFresh) return this.#snapshot!.rows
    const at = this.now()
    const read = ++this.#begun
    const found = await SystemConfig.all()
    const rows = new Map(found.map((row) => [row.key, row]))
    /** A slow read must not replace a newer snapshot, nor a read from before a change one from after it. */
    if (read > this.#outdated) {
      this.#outdated = read
      this.#snapshot = { rows, at }
    }
    return rows
  }

  /** Makes the next read ask the database. */
  forget(): void {
    this.#outdated = this.#begun
    this.#snapshot = null
  }

  /** Returns the stored IDs by key, from the database. */
  async idsOf(keys: string[]): Promise<Map<string, string>> {
    const rows = await SystemConfig.query().whereIn('key', keys)
    return new Map(rows.map(({ key, id }) => [key, id]))
  }

  /** Stores all rows or none, in one statement. Of concurrent calls for the same keys, the last one wins as a whole. */
  async store(rows: NewSettingRow[]): Promise<void> {
    if (rows.length === 0) return
    /** All callers use one order, so that no two wait for each other's rows. */
    const sorted = rows.toSorted((one, other) => (one.key < other.key ? -1 : 1))
    await this.#insert(sorted, SystemConfig.query().client).merge([
      'id',
      'value',
      'encrypted',
      'updated_at',
    ])
    this.forget()
  }

  /** Stores a row if its key has none, and returns whether it did. */
  async claim(row: NewSettingRow, client?: QueryClientContract): Promise<boolean> {
    const inserted = await this.#insert([row], client ?? SystemConfig.query().client)
      .ignore()
      .returning('id')
    this.forget()
    return inserted.length === 1
  }

  #insert(rows: NewSettingRow[], client: QueryClientContract) {
    const now = DateTime.fromMillis(this.now()).toFormat(client.dialect.dateTimeFormat)
    return client
      .insertQuery()
      .table(SystemConfig.table)
      .multiInsert(rows.map((row) => ({ ...row, created_at: now, updated_at: now })))
      .knexQuery.onConflict('key')
  }
}

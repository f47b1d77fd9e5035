import db from '@adonisjs/lucid/services/db'
import { MessageBuilder } from '@adonisjs/core/helpers'
import type { SessionValues } from '#identity/session_changes'

/** Lifetime of anonymous visitors' rows: their content matters for minutes only. */
const ANONYMOUS_MS = 3_600_000

/** Most rows of anonymous visitors; the oldest go first. */
const MAX_ANONYMOUS = 10_000

/** Percentage of new rows that trigger a sweep. */
const SWEEP_PERCENT = 2

/** A row of `sessions`. */
export interface SessionRow {
  /** As stored: signed with the ID. */
  data: string
  values: SessionValues
  isSignedIn: boolean
}

/** The table of sessions. `ageMs` is the lifetime after the last use of a signed-in session. */
export class SessionRows {
  constructor(protected ageMs: number) {}

  /** Returns null if there is none, it has expired, or its signature does not match. */
  async find(id: string): Promise<SessionRow | null> {
    const row = await db.from('sessions').where('id', id).first()
    if (!row || new Date(row.expires_at).getTime() <= Date.now()) return null
    const values = new MessageBuilder().verify<SessionValues>(row.data, id)
    return values && { data: row.data, values, isSignedIn: row.user_id !== null }
  }

  /** Creates an empty row, unless one exists. */
  async make(id: string): Promise<void> {
    const row = { id, data: dataOf({}, id), expires_at: this.#expiry(false) }
    await db.insertQuery().table('sessions').insert(row).knexQuery.onConflict('id').ignore()
    if (Math.random() * 100 < SWEEP_PERCENT) await this.sweep()
  }

  /** Writes the values if the row is unchanged since it was found. */
  async replace(id: string, found: SessionRow, values: SessionValues): Promise<boolean> {
    const { data, isSignedIn } = found
    const next = { data: dataOf(values, id), expires_at: this.#expiry(isSignedIn) }
    return isOne(await db.from('sessions').where({ id, data }).update(next))
  }

  /** Extends the row's lifetime. Returns false if the row is gone. */
  async touch(id: string, { isSignedIn }: SessionRow): Promise<boolean> {
    const expiry = { expires_at: this.#expiry(isSignedIn) }
    return isOne(await db.from('sessions').where('id', id).update(expiry))
  }

  /** Removes expired rows, and the oldest anonymous ones. */
  async sweep(maxAnonymous = MAX_ANONYMOUS): Promise<void> {
    await db.from('sessions').where('expires_at', '<=', new Date()).delete()
    const oldest = await db
      .from('sessions')
      .whereNull('user_id')
      .orderBy('expires_at', 'desc')
      .offset(maxAnonymous)
      .limit(1)
      .select('expires_at')
      .first()
    if (!oldest) return
    await db
      .from('sessions')
      .whereNull('user_id')
      .where('expires_at', '<=', oldest.expires_at)
      .delete()
  }

  #expiry(isSignedIn: boolean): Date {
    return new Date(Date.now() + (isSignedIn ? this.ageMs : ANONYMOUS_MS))
  }
}

const dataOf = (values: SessionValues, id: string) =>
  new MessageBuilder().build(values, undefined, id)

/** SQLite returns the number of rows, PostgreSQL an array with it. */
const isOne = (updated: unknown) => Number([updated].flat()[0]) > 0

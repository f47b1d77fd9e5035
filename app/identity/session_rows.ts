import db from '@adonisjs/lucid/services/db'
import { MessageBuilder } from '@adonisjs/core/helpers'
import type { SessionValues } from '#identity/session_changes'

/** Rows of visitors who have not signed in: what they hold is of use for minutes. */
const ANONYMOUS_MS = 3_600_000

/** Rows of visitors who have not signed in that are kept, the latest ones. */
const MAX_ANONYMOUS = 10_000

/** Of a hundred new rows, how many have old ones swept. */
const SWEEP_PERCENT = 2

/** A row of `sessions`. */
export interface SessionRow {
  /** As it is stored: signed with the id. */
  data: string
  values: SessionValues
  isSignedIn: boolean
}

/** The table of sessions. `ageMs` is how long one lasts after its last use, once someone has signed in. */
export class SessionRows {
  constructor(protected ageMs: number) {}

  /** Null where there is none, it is out of date, or its signature does not fit. */
  async find(id: string): Promise<SessionRow | null> {
    const row = await db.from('sessions').where('id', id).first()
    if (!row || new Date(row.expires_at).getTime() <= Date.now()) return null
    const values = new MessageBuilder().verify<SessionValues>(row.data, id)
    return values && { data: row.data, values, isSignedIn: row.user_id !== null }
  }

  /** Makes an empty row, unless there is one. */
  async make(id: string): Promise<void> {
    const row = { id, data: dataOf({}, id), expires_at: this.#expiry(false) }
    await db.insertQuery().table('sessions').insert(row).knexQuery.onConflict('id').ignore()
    if (Math.random() * 100 < SWEEP_PERCENT) await this.sweep()
  }

  /** Writes the values, if the row is as it was found. */
  async replace(id: string, found: SessionRow, values: SessionValues): Promise<boolean> {
    const { data, isSignedIn } = found
    const next = { data: dataOf(values, id), expires_at: this.#expiry(isSignedIn) }
    return isOne(await db.from('sessions').where({ id, data }).update(next))
  }

  /** Puts its end off. False where it is gone. */
  async touch(id: string, { isSignedIn }: SessionRow): Promise<boolean> {
    const expiry = { expires_at: this.#expiry(isSignedIn) }
    return isOne(await db.from('sessions').where('id', id).update(expiry))
  }

  /** Removes rows that are out of date, and the oldest of those that nobody has signed in with. */
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

/** SQLite tells the number of rows, PostgreSQL a list of it. */
const isOne = (updated: unknown) => Number([updated].flat()[0]) > 0

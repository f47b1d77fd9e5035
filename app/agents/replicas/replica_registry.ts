import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { AgentsContext } from '#agents/context'

/** The share of a lease's time between heartbeats: a replica without one for the whole time is dead. */
const BEAT_SHARE = 0.3

interface Beat {
  beat: string
  since: number
}

/**
 * The replicas of Mosaic that share the database. Each increments a heartbeat in its own row. A replica is
 * dead when its heartbeat has not changed for the time of a lease, by the observer's clock. The observer
 * then deletes its row, and with it all its entries in the other registries.
 */
export class ReplicaRegistry {
  readonly #context: Pick<AgentsContext, 'copy' | 'clock' | 'logger' | 'timeouts'>
  readonly #beats = new Map<string, Beat>()
  #joined: Promise<void> | null = null
  #callOff: () => void = () => {}
  #closed = false

  constructor(context: Pick<AgentsContext, 'copy' | 'clock' | 'logger' | 'timeouts'>) {
    this.#context = context
  }

  /** Whether this replica knows of no other. It then writes no entries for others. */
  get alone(): boolean {
    return this.#beats.size === 0
  }

  /** Registers this replica and finds the others. Idempotent; never rejects. */
  join(): Promise<void> {
    this.#joined ??= this.#turn()
    return this.#joined
  }

  /** Writes this replica's heartbeat, and reads those of the others. */
  async beat(): Promise<void> {
    const { copy, clock, timeouts } = this.#context
    const now = timeOf(clock.now())
    const count = await db
      .from('copies')
      .where('id', copy)
      .update({ beat: db.raw('beat + 1'), updated_at: now })
    if (Number(count) === 0) {
      const row = { id: copy, beat: 0, created_at: now, updated_at: now }
      await db.table('copies').insert(row).knexQuery.onConflict('id').ignore()
    }
    const rows: { id: string; beat: string | number }[] = await db
      .from('copies')
      .select('id', 'beat')
      .whereNot('id', copy)
    const gone = rows.filter((row) => this.#isGone(row.id, String(row.beat), timeouts.leaseMs))
    const living = new Set(rows.map(({ id }) => id))
    for (const { id, beat } of gone) {
      await db.from('copies').where('id', id).where('beat', beat).delete()
      living.delete(id)
    }
    for (const id of this.#beats.keys()) if (!living.has(id)) this.#beats.delete(id)
  }

  /** Removes this replica, so that the others know at once. */
  async close(): Promise<void> {
    this.#closed = true
    this.#callOff()
    if (!this.#joined) return
    await this.#joined
    await db
      .from('copies')
      .where('id', this.#context.copy)
      .delete()
      .catch((error: unknown) => this.#warn(error))
  }

  async #turn(): Promise<void> {
    await this.beat().catch((error: unknown) => {
      this.#warn(error)
      this.#forgive()
    })
    if (this.#closed) return
    const { clock, timeouts } = this.#context
    const inMs = timeouts.leaseMs * BEAT_SHARE
    this.#callOff = clock.after(inMs, () => void this.#turn(), { background: true })
  }

  #isGone(id: string, beat: string, afterMs: number): boolean {
    const now = this.#context.clock.elapsed()
    const known = this.#beats.get(id)
    if (known?.beat === beat) return now - known.since >= afterMs
    this.#beats.set(id, { beat, since: now })
    return false
  }

  /** While the database is away no replica can write its heartbeat, so their time restarts. */
  #forgive(): void {
    const since = this.#context.clock.elapsed()
    for (const beat of this.#beats.values()) beat.since = since
  }

  #warn(error: unknown): void {
    this.#context.logger.warn({ err: error }, 'Could not tell the other copies of Mosaic')
  }
}

/** A time as the database takes it. */
export function timeOf(ms: number): string {
  return DateTime.fromMillis(ms).toFormat(db.connection().dialect.dateTimeFormat)
}

import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { AgentsContext } from '#agents/context'

/** Heartbeat interval as a share of the lease. A replica without a heartbeat for a full lease is dead. */
const HEARTBEAT_SHARE = 0.3

interface Heartbeat {
  heartbeat: string
  since: number
}

/**
 * The replicas of Mosaic that share the database. Each increments a heartbeat in its own row. A replica
 * is dead when its heartbeat has not changed for the time of a lease, by the observer's clock. The
 * observer then deletes its row, and with it all its entries in the other registries.
 */
export class ReplicaRegistry {
  readonly #context: Pick<AgentsContext, 'replicaId' | 'clock' | 'logger' | 'timeouts'>
  readonly #heartbeats = new Map<string, Heartbeat>()
  #joined: Promise<void> | null = null
  #cancelTimer: () => void = () => {}
  #closed = false
  #generation = 0

  constructor(context: Pick<AgentsContext, 'replicaId' | 'clock' | 'logger' | 'timeouts'>) {
    this.#context = context
  }

  /** Whether no other replica is known. This one then adds no entries for others. */
  get alone(): boolean {
    return this.#heartbeats.size === 0
  }

  /**
   * How often this replica wrote its row. Another one that presumed it dead deleted it, and with it all that this
   * replica had in the other registries.
   */
  get generation(): number {
    return this.#generation
  }

  /** Registers this replica and finds the others. Idempotent; never rejects. */
  join(): Promise<void> {
    this.#joined ??= this.#tick()
    return this.#joined
  }

  /** Writes this replica's heartbeat, and reads those of the others. */
  async heartbeat(): Promise<void> {
    const { replicaId, clock, timeouts } = this.#context
    const now = timeOf(clock.now())
    const count = await db
      .from('replicas')
      .where('id', replicaId)
      .update({ heartbeat: db.raw('heartbeat + 1'), updated_at: now })
    if (Number(count) === 0) {
      const row = { id: replicaId, heartbeat: 0, created_at: now, updated_at: now }
      await db.table('replicas').insert(row).knexQuery.onConflict('id').ignore()
      this.#generation++
    }
    const rows: { id: string; heartbeat: string | number }[] = await db
      .from('replicas')
      .select('id', 'heartbeat')
      .whereNot('id', replicaId)
    const gone = rows.filter((row) => this.#isGone(row.id, String(row.heartbeat), timeouts.leaseMs))
    const living = new Set(rows.map(({ id }) => id))
    for (const { id, heartbeat } of gone) {
      await db.from('replicas').where('id', id).where('heartbeat', heartbeat).delete()
      living.delete(id)
    }
    for (const id of this.#heartbeats.keys()) if (!living.has(id)) this.#heartbeats.delete(id)
  }

  /** Removes this replica's row, so that the others know at once. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTimer()
    if (!this.#joined) return
    await this.#joined
    await db
      .from('replicas')
      .where('id', this.#context.replicaId)
      .delete()
      .catch((error: unknown) => this.#warn(error))
  }

  async #tick(): Promise<void> {
    await this.heartbeat().catch((error: unknown) => {
      this.#warn(error)
      this.#forgive()
    })
    if (this.#closed) return
    const { clock, timeouts } = this.#context
    const inMs = timeouts.leaseMs * HEARTBEAT_SHARE
    this.#cancelTimer = clock.after(inMs, () => void this.#tick(), { background: true })
  }

  #isGone(id: string, heartbeat: string, afterMs: number): boolean {
    const now = this.#context.clock.elapsed()
    const known = this.#heartbeats.get(id)
    if (known?.heartbeat === heartbeat) return now - known.since >= afterMs
    this.#heartbeats.set(id, { heartbeat, since: now })
    return false
  }

  /** No replica can write its heartbeat while the database is unavailable, so their time restarts. */
  #forgive(): void {
    const since = this.#context.clock.elapsed()
    for (const heartbeat of this.#heartbeats.values()) heartbeat.since = since
  }

  #warn(error: unknown): void {
    this.#context.logger.warn({ err: error }, 'Could not tell the other replicas of Mosaic')
  }
}

/** Formats a time for the database. */
export function timeOf(ms: number): string {
  return DateTime.fromMillis(ms).toFormat(db.connection().dialect.dateTimeFormat)
}

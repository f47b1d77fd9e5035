import { DateTime } from 'luxon'
import { createId } from '#models/row_id'
import db from '@adonisjs/lucid/services/db'
import { isUnstorable } from '#exceptions/unstorable'
import { inBatches } from '#models/batches'
import UsageDay from '#models/usage_day'
import User from '#models/user'
import WakeDay from '#models/wake_day'
import type { TokenUsage } from '#llm/token_usage'
import { DAY_MS, dayOf } from '#timing/day'
import { DailySums, type DailyEntry } from '#usage/daily_sums'

/** Write interval: a busy user costs one row per interval, however much they chat. */
const WRITE_EVERY_MS = 15_000
/** Rows per statement. */
const BATCH = 200

interface MeterContext {
  clock: {
    now(): number
    after(ms: number, callback: () => void, options?: { background?: boolean }): () => void
  }
  logger: { warn(details: object, message: string): void }
}

/** Writes some sums. */
type Save<S> = (some: DailyEntry<S>[]) => Promise<unknown>

/** A user's sums for a day. */
export interface UsageSums {
  chats: number
  wakes: number
  awakeSeconds: number
  tokensIn: number
  tokensOut: number
}

interface WakeSums {
  count: number
  totalMs: number
}

const NO_USAGE: UsageSums = { chats: 0, wakes: 0, awakeSeconds: 0, tokensIn: 0, tokensOut: 0 }
const NO_WAKES: WakeSums = { count: 0, totalMs: 0 }

/**
 * Counts usage: numbers by user and day, and outcomes of wakes by day, but never content. Sums are kept
 * in memory and written in batches, so that no chat waits for them.
 */
export class UsageMeter {
  readonly #clock: MeterContext['clock']
  readonly #logger: MeterContext['logger']
  /** By user. */
  readonly #usage = new DailySums<UsageSums>(NO_USAGE)
  /** By outcome. */
  readonly #wakes = new DailySums<WakeSums>(NO_WAKES)
  #cancelTimer: (() => void) | null = null
  #writing: Promise<void> = Promise.resolve()
  #closed = false

  constructor({ clock, logger }: MeterContext) {
    this.#clock = clock
    this.#logger = logger
  }

  /** Counts a message from the user to the agent. */
  chat(userId: string): void {
    this.#add(userId, { chats: 1 })
  }

  /** Counts a model call of the user's agent. */
  tokens(userId: string, usage: TokenUsage): void {
    this.#add(userId, { tokensIn: usage.in, tokensOut: usage.out })
  }

  woke(userId: string): void {
    this.#add(userId, { wakes: 1 })
  }

  /**
   * Counts the time a user's agent was up, from `from` to `to` in milliseconds of the epoch, split by
   * day.
   */
  awake(userId: string, from: number, to: number): void {
    for (let start = from; start < to;) {
      const nextDay = (Math.floor(start / DAY_MS) + 1) * DAY_MS
      const end = Math.min(nextDay, to)
      this.#add(userId, { awakeSeconds: Math.round((end - start) / 1000) }, start)
      start = end
    }
  }

  /** Counts a wake of any agent by outcome: `ready`, or a failure reason. */
  wakeEnded(outcome: string, ms: number): void {
    const day = dayOf(this.#clock.now())
    this.#wakes.add(day, outcome, { count: 1, totalMs: Math.round(ms) })
    this.#schedule()
  }

  /** Writes all pending sums. */
  async flush(): Promise<void> {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    this.#writing = this.#writing.then(() => this.#write())
    await this.#writing
  }

  /** Writes pending sums and stops. */
  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
  }

  #add(userId: string, more: Partial<UsageSums>, at = this.#clock.now()): void {
    this.#usage.add(dayOf(at), userId, more)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#cancelTimer || this.#closed) return
    const ring = () => void this.flush()
    this.#cancelTimer = this.#clock.after(WRITE_EVERY_MS, ring, { background: true })
  }

  async #write(): Promise<void> {
    await this.#save(this.#usage, (some) => this.#saveUsage(some))
    await this.#save(this.#wakes, (some) => this.#saveWakes(some))
  }

  async #save<S extends object>(sums: DailySums<S>, save: Save<S>): Promise<void> {
    for (const some of inBatches(sums.take(), BATCH)) await this.#saveBatch(some, sums, save)
  }

  /**
   * Sums that could not be written are added back, and go with the next batch. One that no column takes is
   * dropped, so that it does not keep the others of its batch from being written.
   */
  async #saveBatch<S extends object>(
    some: DailyEntry<S>[],
    sums: DailySums<S>,
    save: Save<S>
  ): Promise<void> {
    try {
      await save(some)
    } catch (error) {
      if (isUnstorable(error) && some.length > 1) {
        for (const entry of some) await this.#saveBatch([entry], sums, save)
        return
      }
      this.#logger.warn({ err: error }, 'Could not note what was used')
      if (isUnstorable(error)) return
      for (const { day, key, values } of some) sums.add(day, key, values)
      if (!this.#closed) this.#schedule()
    }
  }

  /** Omits users who were deleted meanwhile: they have no row to add to. */
  async #saveUsage(entries: DailyEntry<UsageSums>[]): Promise<void> {
    const ids = new Set(entries.map(({ key }) => key))
    const users = await User.query()
      .select('id')
      .whereIn('id', [...ids])
    const known = new Set(users.map(({ id }) => id))
    const rows = entries
      .filter(({ key }) => known.has(key))
      .map(({ day, key, values }) => ({
        id: createId(),
        user_id: key,
        day,
        chats: values.chats,
        wakes: values.wakes,
        awake_seconds: values.awakeSeconds,
        tokens_in: values.tokensIn,
        tokens_out: values.tokensOut,
      }))
    await this.#addTo(UsageDay, ['user_id', 'day'], rows)
  }

  async #saveWakes(entries: DailyEntry<WakeSums>[]): Promise<void> {
    const rows = entries.map(({ day, key, values }) => ({
      id: createId(),
      day,
      outcome: key,
      count: values.count,
      total_ms: values.totalMs,
    }))
    await this.#addTo(WakeDay, ['day', 'outcome'], rows)
  }

  /**
   * Several replicas may add to the same rows: the first inserts a row, and the database adds the rest
   * to it.
   */
  async #addTo(
    model: typeof UsageDay | typeof WakeDay,
    unique: string[],
    rows: Record<string, string | number>[]
  ): Promise<void> {
    if (rows.length === 0) return
    const { client } = model.query()
    const now = DateTime.fromMillis(this.#clock.now()).toFormat(client.dialect.dateTimeFormat)
    const sums = Object.keys(rows[0]).filter((name) => name !== 'id' && !unique.includes(name))
    const added = sums.map((name) => [
      name,
      db.knexRawQuery('??.?? + ??.??', [model.table, name, 'excluded', name]),
    ])
    await client
      .insertQuery()
      .table(model.table)
      .multiInsert(rows.map((row) => ({ ...row, created_at: now, updated_at: now })))
      .knexQuery.onConflict(unique)
      .merge({ ...Object.fromEntries(added), updated_at: now })
  }
}

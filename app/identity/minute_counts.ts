import { errors, LimiterResponse } from '@adonisjs/limiter'

const MINUTE_MS = 60_000

/**
 * Counts of the current minute by key, in memory. Counting costs one map entry and no promise, because each request
 * pays for it. The minute is the same for all keys, so that its end forgets them all.
 */
export class MinuteCounts {
  readonly #counts = new Map<string, number>()
  #endsAt = -Infinity

  /** @param now monotonic milliseconds */
  constructor(protected now: () => number) {}

  /**
   * Counts one, of at most `most` in this minute.
   *
   * @throws E_TOO_MANY_REQUESTS until the minute is over
   */
  take(key: string, most: number): void {
    const now = this.now()
    if (now >= this.#endsAt) {
      this.#counts.clear()
      this.#endsAt = now + MINUTE_MS
    }
    const consumed = (this.#counts.get(key) ?? 0) + 1
    this.#counts.set(key, consumed)
    if (consumed <= most) return
    const availableIn = Math.ceil((this.#endsAt - now) / 1000)
    throw new errors.E_TOO_MANY_REQUESTS(
      new LimiterResponse({ limit: most, remaining: 0, consumed, availableIn })
    )
  }
}

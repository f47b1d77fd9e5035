import { LRUCache } from 'lru-cache'

export interface ShortCacheOptions {
  ttlMs: number
  /** Entries; the one that was not asked for longest goes first. */
  capacity?: number
  /** Milliseconds of a clock that nobody sets back, above 0. */
  now?: () => number
}

/**
 * Keeps what was just looked up for a moment, so that a burst of calls costs one look-up. Callers that
 * come while a look-up runs share it. A failed look-up, and one that found nothing, is not kept.
 */
export class ShortCache<Value> {
  readonly #kept: LRUCache<string, Promise<Value | null>>

  constructor({ ttlMs, capacity = 10_000, now = () => performance.now() }: ShortCacheOptions) {
    this.#kept = new LRUCache({ max: capacity, ttl: ttlMs, ttlResolution: 0, perf: { now } })
  }

  get(key: string, lookUp: () => Promise<Value | null>): Promise<Value | null> {
    const kept = this.#kept.get(key)
    if (kept) return kept

    const value = lookUp()
    this.#kept.set(key, value)
    const forget = () => {
      if (this.#kept.peek(key) === value) this.#kept.delete(key)
    }
    value.then((found) => found === null && forget(), forget)
    return value
  }

  clear(): void {
    this.#kept.clear()
  }
}

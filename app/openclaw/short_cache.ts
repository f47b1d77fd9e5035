import { LRUCache } from 'lru-cache'

export interface ShortCacheOptions {
  ttlMs: number
  /** Maximum entries; the least recently used one is evicted first. */
  capacity?: number
  /** Milliseconds above 0, from a monotonic clock. */
  now?: () => number
}

/**
 * Caches look-ups briefly, so that a burst of calls costs one. Concurrent callers share a running look-up.
 * Failed look-ups and those that found nothing are not cached.
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

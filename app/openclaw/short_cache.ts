/**
 * Keeps what was just looked up for a moment, so that a burst of calls costs one look-up. Callers that
 * come while a look-up runs share it. A failed look-up, and one that found nothing, is not kept.
 */
export class ShortCache<Value> {
  readonly #entries = new Map<string, { value: Promise<Value | null>; until: number }>()
  readonly #ttlMs: number
  readonly #capacity: number
  readonly #now: () => number

  constructor(options: { ttlMs: number; capacity?: number; now?: () => number }) {
    this.#ttlMs = options.ttlMs
    this.#capacity = options.capacity ?? 10_000
    this.#now = options.now ?? Date.now
  }

  get(key: string, lookUp: () => Promise<Value | null>): Promise<Value | null> {
    const entry = this.#entries.get(key)
    if (entry && this.#isFresh(entry.until)) return entry.value

    const value = lookUp()
    this.#entries.delete(key)
    this.#makeRoom()
    const made = { value, until: this.#now() + this.#ttlMs }
    this.#entries.set(key, made)
    const forget = () => {
      if (this.#entries.get(key) === made) this.#entries.delete(key)
    }
    value.then((found) => found === null && forget(), forget)
    return value
  }

  clear(): void {
    this.#entries.clear()
  }

  /** What would be kept for longer than anything was kept before the clock was set back. */
  #isFresh(until: number): boolean {
    const leftMs = until - this.#now()
    return leftMs > 0 && leftMs <= this.#ttlMs
  }

  /** A Map keeps the order of insertion, so the first ones are the oldest. */
  #makeRoom(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size < this.#capacity) return
      this.#entries.delete(key)
    }
  }
}

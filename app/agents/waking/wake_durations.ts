/** Enough samples for a stable median, few enough to follow a machine that slows down. */
const KEPT = 20

/** Recent durations of wakes, or of one phase of them, by runtime driver. */
export class WakeDurations {
  readonly #recent = new Map<string, number[]>()

  add(driver: string, ms: number): void {
    const times = this.#recent.get(driver) ?? []
    this.#recent.set(driver, [...times, ms].slice(-KEPT))
  }

  /** Returns the median in milliseconds, or null before the first wake. */
  usual(driver: string): number | null {
    const times = this.#recent.get(driver)
    if (!times) return null
    return times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) / 2)]
  }
}

/**
 * Estimates the wait at a queue position, counted from 1, in milliseconds. Each of `places` is occupied
 * for the given time, so on average one frees up every 1/`places` of that time.
 */
export function expectedWaitMs(position: number, places: number, usualMs: number): number {
  return Math.round((position * usualMs) / places)
}

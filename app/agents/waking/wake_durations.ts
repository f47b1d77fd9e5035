/** Enough samples for a steady median, few enough to follow a machine that became slower. */
const KEPT = 20

/** The recent durations of wakes, or of one part of them, for each runtime driver. */
export class WakeDurations {
  readonly #recent = new Map<string, number[]>()

  add(driver: string, ms: number): void {
    const times = this.#recent.get(driver) ?? []
    this.#recent.set(driver, [...times, ms].slice(-KEPT))
  }

  /** The median in milliseconds, or null before the first wake. */
  usual(driver: string): number | null {
    const times = this.#recent.get(driver)
    if (!times) return null
    return times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) / 2)]
  }
}

/**
 * Estimates the wait at a position of the queue, counted from 1, in milliseconds. Each of `places` is taken
 * for the given time, so on average one becomes free each time that 1/`places` of it has passed.
 */
export function expectedWaitMs(position: number, places: number, usualMs: number): number {
  return Math.round((position * usualMs) / places)
}

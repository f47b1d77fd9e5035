/** Enough to be steady, few enough to follow a machine that became slower. */
const KEPT = 20

/** How long wakes, or a part of them, took lately, for each runtime driver. */
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
 * About how long whoever stands at this position, from 1, waits for one of so many places, which each are
 * taken for that many milliseconds: on average one of them is given back each time that their share of it
 * has passed.
 */
export function expectedWaitMs(position: number, places: number, usualMs: number): number {
  return Math.round((position * usualMs) / places)
}

/** Enough to be steady, few enough to follow a machine that became slower. */
const KEPT = 20

/** How long wakes took lately, for each runtime driver. */
export class WakeTimes {
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

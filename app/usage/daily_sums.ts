export interface DailyEntry<Values> {
  day: string
  key: string
  values: Values
}

/** Sums in memory, by day and key. */
export class DailySums<Values extends object> {
  #days = new Map<string, Map<string, Record<string, number>>>()

  /** @param none the names of the sums, each 0 */
  constructor(protected none: Values) {}

  add(day: string, key: string, more: Partial<Values>): void {
    const sum = this.#sumsOf(day, key)
    for (const field in more) sum[field] += more[field] as number
  }

  /**
   * Returns all sums and resets them. All replicas of Mosaic use the same order: otherwise two that
   * write the same rows at once could deadlock.
   */
  take(): DailyEntry<Values>[] {
    const days = [...this.#days].sort(byName)
    this.#days = new Map()
    return days.flatMap(([day, sums]) =>
      [...sums].sort(byName).map(([key, values]) => ({ day, key, values: values as Values }))
    )
  }

  /** Two lookups, because each message counts: a name made of both would be built and hashed each time. */
  #sumsOf(day: string, key: string): Record<string, number> {
    let sums = this.#days.get(day)
    if (!sums) this.#days.set(day, (sums = new Map()))
    let sum = sums.get(key)
    if (!sum) sums.set(key, (sum = { ...this.none } as Record<string, number>))
    return sum
  }
}

const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1)

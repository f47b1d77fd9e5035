export interface DailyEntry<Values> {
  day: string
  key: string
  values: Values
}

/** Sums in memory, by day and key. */
export class DailySums<Values extends object> {
  #sums = new Map<string, Record<string, number>>()

  /** @param none the names of the sums, each 0 */
  constructor(protected none: Values) {}

  add(day: string, key: string, more: Partial<Values>): void {
    const name = `${day}/${key}`
    const sum = this.#sums.get(name) ?? ({ ...this.none } as Record<string, number>)
    for (const field in more) sum[field] += more[field] as number
    this.#sums.set(name, sum)
  }

  /**
   * Returns all sums and resets them. All replicas of Mosaic use the same order: otherwise two that
   * write the same rows at once could deadlock.
   */
  take(): DailyEntry<Values>[] {
    const all = [...this.#sums].sort(([one], [other]) => (one < other ? -1 : 1))
    this.#sums = new Map()
    return all.map(([name, values]) => {
      const at = name.indexOf('/')
      return { day: name.slice(0, at), key: name.slice(at + 1), values: values as Values }
    })
  }
}

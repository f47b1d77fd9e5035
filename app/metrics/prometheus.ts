/** The few shapes of Prometheus' text format that Mosaic speaks. A family has one label at most. */

export function family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string) {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

/** One sample for each value of a label. */
export function samples(
  name: string,
  label: string,
  counts: Map<string, number> | Record<string, number>
): string[] {
  const entries = counts instanceof Map ? [...counts] : Object.entries(counts)
  return entries.map(([value, count]) => `${name}{${label}="${value}"} ${count}`)
}

interface Observations {
  buckets: number[]
  count: number
  sum: number
}

/** How long something took, in seconds, for each value of its label. */
export class Histogram {
  readonly #series = new Map<string, Observations>()

  /** `bounds` are the upper ones of the buckets, in seconds. Without a label there is one series. */
  constructor(
    protected name: string,
    protected help: string,
    protected bounds: readonly number[],
    protected label: string | null = null
  ) {
    if (!label) this.#of('')
  }

  observe(ms: number, value = ''): void {
    const seconds = ms / 1000
    const observed = this.#of(value)
    observed.count++
    observed.sum += seconds
    this.bounds.forEach((bound, index) => {
      if (seconds <= bound) observed.buckets[index]++
    })
  }

  render(): string[] {
    const { name, bounds } = this
    const series = [...this.#series].flatMap(([value, { buckets, count, sum }]) => {
      const own = this.label ? `${this.label}="${value}"` : ''
      const labels = own ? `{${own}}` : ''
      const bucket = (bound: number | '+Inf', hits: number) =>
        `${name}_bucket{${own ? `${own},` : ''}le="${bound}"} ${hits}`
      return [
        ...bounds.map((bound, index) => bucket(bound, buckets[index])),
        bucket('+Inf', count),
        `${name}_sum${labels} ${sum}`,
        `${name}_count${labels} ${count}`,
      ]
    })
    return [...family(name, 'histogram', this.help), ...series]
  }

  #of(value: string): Observations {
    const present = this.#series.get(value)
    if (present) return present
    const made = { buckets: this.bounds.map(() => 0), count: 0, sum: 0 }
    this.#series.set(value, made)
    return made
  }
}

import type { Histogram } from 'prom-client'

/**
 * A histogram without labels in plain numbers, which prom-client's registry tells at a scrape. Its own one hashes
 * labels and checks its input at each observation.
 */
export class PlainHistogram {
  readonly type = 'histogram'
  readonly #bounds: number[]
  /** Observations up to each bound and above the one before; the last entry has those above all bounds. */
  readonly #counts: Float64Array
  #sum = 0

  /** @param bounds upper bounds of the buckets, in ascending order */
  constructor(
    readonly name: string,
    readonly help: string,
    bounds: number[]
  ) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const { length } = this.#bounds
    let at = 0
    while (at < length && value > this.#bounds[at]) at++
    this.#counts[at]++
    this.#sum += value
  }

  /** What a registry reads: bucket counts include those of lower buckets. */
  async get(): ReturnType<Histogram['get']> {
    const { name, help, type } = this
    let count = 0
    const metricName = `${name}_bucket`
    const buckets = [...this.#bounds, '+Inf'].map((le, at) => {
      count += this.#counts[at]
      return { metricName, labels: { le }, value: count }
    })
    const sum = { metricName: `${name}_sum`, labels: {}, value: this.#sum }
    const total = { metricName: `${name}_count`, labels: {}, value: count }
    return { name, help, type, values: [...buckets, sum, total], aggregator: 'sum' } as never
  }
}

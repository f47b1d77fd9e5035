/** A line of the engine during an image pull. */
export interface PullLine {
  id?: string
  status?: string
  progressDetail?: { current?: number; total?: number }
}

const DONE = new Set(['Already exists', 'Pull complete'])
const MEGABYTE = 1_000_000
/** More layers than any engine supports in an image. */
const MOST_LAYERS = 1000

/** Summarizes the engine's per-layer progress for a person: "Fetching the image, layer 3 of 8". */
export class PullProgress {
  readonly #layers = new Map<string, { done: boolean; current: number; total: number }>()
  #detail = 'Fetching the image'

  get detail(): string {
    return this.#detail
  }

  /** Adds a line. Returns whether the summary has changed. */
  add({ id, status = '', progressDetail }: PullLine): boolean {
    if (!id || status.startsWith('Pulling from')) return false
    if (!this.#layers.has(id) && this.#layers.size >= MOST_LAYERS) return false
    const layer = this.#layers.get(id) ?? { done: false, current: 0, total: 0 }
    layer.done ||= DONE.has(status)
    if (status === 'Downloading' && progressDetail?.total) {
      layer.current = progressDetail.current ?? 0
      layer.total = progressDetail.total
    }
    if (status === 'Download complete' || layer.done) layer.current = layer.total
    this.#layers.set(id, layer)
    const before = this.#detail
    this.#detail = this.#words()
    return this.#detail !== before
  }

  #words(): string {
    const layers = [...this.#layers.values()]
    const layer = Math.min(layers.filter(({ done }) => done).length + 1, layers.length)
    const sum = (of: (layer: { current: number; total: number }) => number) =>
      Math.round(layers.reduce((total, one) => total + of(one), 0) / MEGABYTE)
    const [current, total] = [sum((one) => one.current), sum((one) => one.total)]
    const size = total > 0 ? ` (${current} of ${total} MB)` : ''
    return `Fetching the image, layer ${layer} of ${layers.length}${size}`
  }
}

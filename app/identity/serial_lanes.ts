/** Tasks of one lane that wait or run, at most, in all and of one source. */
const MAX_IN_LANE = 10
const MAX_OF_SOURCE = 3

/**
 * Runs tasks one after the other by lane. Nobody fills a lane alone: one source has a few places in it.
 * Lanes are of this process; another replica of Mosaic has its own.
 */
export class SerialLanes {
  readonly #lanes = new Map<string, { sources: string[]; last: Promise<unknown> }>()

  /** Null where the lane has no place left. */
  run<Result>(name: string, source: string, task: () => Promise<Result>): Promise<Result> | null {
    const lane = this.#lanes.get(name) ?? { sources: [], last: Promise.resolve() }
    const own = lane.sources.filter((one) => one === source).length
    if (lane.sources.length >= MAX_IN_LANE || own >= MAX_OF_SOURCE) return null

    this.#lanes.set(name, lane)
    lane.sources.push(source)
    const result = lane.last.then(task).finally(() => this.#leave(name, source))
    lane.last = result.catch(() => {})
    return result
  }

  #leave(name: string, source: string): void {
    const { sources } = this.#lanes.get(name)!
    sources.splice(sources.indexOf(source), 1)
    if (sources.length === 0) this.#lanes.delete(name)
  }
}

/** Limits of waiting and running tasks per lane: in total, and from one source. */
const MAX_IN_LANE = 10
const MAX_OF_SOURCE = 3

/**
 * Runs the tasks of each lane one after the other. A source has only a few places, so it cannot fill a lane
 * alone. Lanes are per process; another replica has its own.
 */
export class SerialLanes {
  readonly #lanes = new Map<string, { sources: string[]; last: Promise<unknown> }>()

  /** Returns null if the lane is full. */
  run<Result>(name: string, source: string, task: () => Promise<Result>): Promise<Result> | null {
    if (this.isFull(name, source)) return null
    const lane = this.#lanes.get(name) ?? { sources: [], last: Promise.resolve() }
    this.#lanes.set(name, lane)
    lane.sources.push(source)
    const result = lane.last.then(task).finally(() => this.#leave(name, source))
    lane.last = result.catch(() => {})
    return result
  }

  /** Whether `run` would return null. */
  isFull(name: string, source: string): boolean {
    const sources = this.#lanes.get(name)?.sources ?? []
    const own = sources.filter((one) => one === source).length
    return sources.length >= MAX_IN_LANE || own >= MAX_OF_SOURCE
  }

  #leave(name: string, source: string): void {
    const { sources } = this.#lanes.get(name)!
    sources.splice(sources.indexOf(source), 1)
    if (sources.length === 0) this.#lanes.delete(name)
  }
}

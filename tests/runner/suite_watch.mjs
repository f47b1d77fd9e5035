/** Measures where a suite's time goes. */
import { cpus } from 'node:os'

/** Number of slowest files to list. */
const SLOWEST = 8

/** A suite's time since its start, and the share in which the processors were busy. */
export class SuiteWatch {
  #startedAt = performance.now()
  #before = SuiteWatch.#processors()

  /** @param {[string, number][]} files Milliseconds by spec file. */
  lines(files) {
    const { busy, all } = SuiteWatch.#processors()
    const share = Math.round((100 * (busy - this.#before.busy)) / (all - this.#before.all))
    const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
    const slowest = files.toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST)
    return [
      `took ${seconds(performance.now() - this.#startedAt)}, processors ${share} % busy`,
      ...slowest.map(([file, ms]) => `${seconds(ms).padStart(9)}  ${file}`),
    ]
  }

  /** Milliseconds of all processors together since the machine started. */
  static #processors() {
    const times = cpus().map(({ times: { idle, user, nice, sys, irq } }) => ({
      idle,
      busy: user + nice + sys + irq,
    }))
    const busy = times.reduce((sum, time) => sum + time.busy, 0)
    return { busy, all: times.reduce((sum, time) => sum + time.idle, busy) }
  }
}

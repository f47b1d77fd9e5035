/** Measures where a suite's time goes. */
import { cpus } from 'node:os'
import { ProcessorTime } from './processor_time.mjs'

/** Number of the files to list: those that kept the processors busy longest. */
const COSTLIEST = 12

/** A suite's time since its start, its processor time, and the share in which the processors were busy. */
export class SuiteWatch {
  #startedAt = performance.now()
  #before = SuiteWatch.#processors()
  #time

  /** @param {ConstructorParameters<typeof ProcessorTime>[0]} run Has just started. */
  constructor(run) {
    this.#time = new ProcessorTime(run)
  }

  /** @param {import('./suite_run.mjs').SpecSpan[]} files */
  lines(files) {
    const used = this.#time.stop()
    const { busy, all } = SuiteWatch.#processors()
    const share = Math.round((100 * (busy - this.#before.busy)) / (all - this.#before.all))
    const seconds = (count) => `${count.toFixed(1)} s`
    const took = (performance.now() - this.#startedAt) / 1000
    const costliest = files
      .map(({ file, from, to }) => ({
        file,
        took: seconds((to - from) / 1000),
        used: this.#time.between(from, to),
      }))
      .toSorted((one, other) => other.used - one.used)
      .slice(0, COSTLIEST)
    return [
      `took ${seconds(took)}, used ${seconds(used)} of the processors, which were ${share} % busy`,
      ...costliest.map((one) => `${seconds(one.used).padStart(9)} in ${one.took}  ${one.file}`),
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

/** Measures the processor time that a run uses, with all that it starts. Reads `/proc`: elsewhere it counts 0. */
import { readFileSync } from 'node:fs'
import { ProcessAccounts } from './process_accounts.mjs'
import { belongingTo, processIds } from './processes.mjs'

const LOOK_EVERY_MS = 1000

/** Clock ticks of /proc per second. */
const TICKS = 100

/** Processor time of a process, its descendants and what outlives its parent, such as an agent. */
export class ProcessorTime {
  #accounts
  #timer
  /** `[time in ms, seconds]`, oldest first. */
  #looks = []

  /**
   * @param {{ folder: string, roots: number[] }} run `folder`: everything that the run starts names it, or has
   * something of it mounted. `roots`: ids of its processes, such as the suite's and the engine's.
   */
  constructor({ folder, roots }) {
    const isInside = belongingTo(folder)
    this.#accounts = new ProcessAccounts((pid) => roots.includes(pid) || isInside(pid))
    this.#look()
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** @returns {number} Seconds since the first look. */
  stop() {
    clearInterval(this.#timer)
    this.#look()
    return this.#looks.at(-1)[1] - this.#looks[0][1]
  }

  /** @returns {number} Seconds between two times (ms since 1970). */
  between(from, to) {
    return this.#at(to) - this.#at(from)
  }

  /** Interpolates between the looks around this time. */
  #at(time) {
    const next = this.#looks.findIndex(([lookedAt]) => lookedAt >= time)
    if (next === -1) return this.#looks.at(-1)[1]
    if (next === 0) return this.#looks[0][1]
    const [[from, before], [to, after]] = this.#looks.slice(next - 1, next + 1)
    return before + ((after - before) * (time - from)) / (to - from)
  }

  #look() {
    const processes = processIds().map(accountOf).filter(Boolean)
    this.#looks.push([Date.now(), this.#accounts.look(processes)])
  }
}

/** @returns {import('./process_accounts.mjs').Account | null} Null if it has ended. */
function accountOf(pid) {
  let stat
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [user, system, usersChildren, systemsChildren] = fields.slice(11, 15).map(Number)
  return {
    pid,
    parent: Number(fields[1]),
    bornAt: fields[19],
    own: (user + system) / TICKS,
    ofChildren: (usersChildren + systemsChildren) / TICKS,
  }
}

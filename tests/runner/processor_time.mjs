/** Measures the processor time that a run uses, with all that it starts. Reads `/proc`: elsewhere it counts 0. */
import { readFileSync } from 'node:fs'
import { naming, processIds } from './processes.mjs'

const LOOK_EVERY_MS = 1000

/** Clock ticks of /proc per second. */
const TICKS = 100

/**
 * Processor time of a process, its descendants and what outlives its parent, such as an agent. The kernel adds the
 * time of an ended child to its parent; for orphans, the last look counts.
 */
export class ProcessorTime {
  #names
  #roots
  #timer
  /** What the last look saw, by process id. */
  #seen = new Map()
  /** Of orphans that have ended, in seconds. */
  #endedSec = 0
  /** `[time in ms, seconds]`, oldest first. */
  #looks = []

  /**
   * @param {{ folder: string, roots: number[] }} run `folder`: everything that the run starts names it. `roots`:
   * ids of its processes, such as the suite's and the engine's.
   */
  constructor({ folder, roots }) {
    this.#names = naming(folder)
    this.#roots = new Set(roots)
    this.#look()
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** @returns {number} Seconds since the first look. */
  stop() {
    clearInterval(this.#timer)
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
    const now = new Map()
    for (const pid of processIds()) {
      const found = measured(pid)
      if (found) now.set(pid, found)
    }
    const ended = [...this.#seen].filter(([pid, { bornAt }]) => now.get(pid)?.bornAt !== bornAt)
    for (const [pid, { isMember, parent, seconds }] of ended) {
      const isOrphan = !this.#roots.has(pid) && !this.#isMember(parent)
      if (isMember && isOrphan) this.#endedSec += seconds
    }
    for (const [pid] of ended) this.#seen.delete(pid)
    let seconds = this.#endedSec
    for (const [pid, found] of now) {
      const isMember = this.#belongs(pid, found)
      this.#seen.set(pid, { ...found, isMember })
      if (isMember) seconds += found.seconds
    }
    /** A suite that has ended would take its time with it. */
    const last = this.#looks.at(-1)?.[1] ?? 0
    this.#looks.push([Date.now(), Math.max(last, seconds)])
  }

  /** Decides once for each process. */
  #belongs(pid, { parent }) {
    return (
      this.#seen.get(pid)?.isMember ??
      (this.#isMember(pid) || this.#isMember(parent) || this.#names(pid))
    )
  }

  #isMember(pid) {
    return this.#roots.has(pid) || this.#seen.get(pid)?.isMember === true
  }
}

/** @returns {{ parent: number, bornAt: string, seconds: number } | null} Null if it has ended. */
function measured(pid) {
  let stat
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0)
  return { parent: Number(fields[1]), bornAt: fields[19], seconds: ticks / TICKS }
}

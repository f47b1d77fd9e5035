/** Adds up the processor time of processes that come and go. */

/**
 * Looks within which a process may show that it belongs to the run. Before that it may be on its way: a sandbox has
 * left its parent, and has nothing of the run's mounted yet.
 */
const TRIES = 5

/**
 * @typedef {{ pid: number, parent: number, bornAt: string, own: number, ofChildren: number }} Account
 * `own`: seconds of a process itself; `ofChildren`: those of ended children that it has waited for. `bornAt` tells
 * processes apart that have one id after another.
 */

/**
 * Processor time of the members of a run. The kernel adds the time of a process to its parent's once that has waited
 * for it. One that loses its parent, as all of an agent's do when its sandbox is killed as a whole, is waited for by
 * some other process: its last account counts.
 */
export class ProcessAccounts {
  #isMember
  /** @type {Map<number, Account & { isMember: boolean, tries: number }>} What the last look saw, by process id. */
  #seen = new Map()
  /** Seconds of ended members that no living one has taken over. */
  #left = 0

  /** @param {(pid: number) => boolean} isMember Asked for a process without a parent among the members. */
  constructor(isMember) {
    this.#isMember = isMember
  }

  /**
   * @param {Account[]} processes All that there are now.
   * @returns {number} Seconds of all members, ended ones as well.
   */
  look(processes) {
    const now = new Map(processes.map((one) => [one.pid, one]))
    this.#settle(now)
    const before = this.#seen
    this.#seen = new Map()
    for (const { pid } of processes) this.#note(pid, now, before)
    let seconds = this.#left
    for (const { isMember, own, ofChildren } of this.#seen.values()) {
      if (isMember) seconds += own + ofChildren
    }
    return seconds
  }

  /** Counts what ended members leave, less what their nearest living ancestors were given meanwhile. */
  #settle(now) {
    const lives = ({ pid, bornAt }) => now.get(pid)?.bornAt === bornAt
    const given = new Map()
    for (const ended of this.#seen.values()) {
      if (!ended.isMember || lives(ended)) continue
      const heir = this.#heirOf(ended, lives)
      const seconds = ended.own + ended.ofChildren
      given.set(heir, (given.get(heir) ?? 0) + seconds)
    }
    for (const [heir, seconds] of given) {
      const taken = heir ? now.get(heir.pid).ofChildren - heir.ofChildren : 0
      this.#left += Math.max(0, seconds - taken)
    }
  }

  /** @returns The nearest member above an ended one that lives; null if there is none. */
  #heirOf(ended, lives) {
    for (let one = this.#seen.get(ended.parent); one?.isMember; one = this.#seen.get(one.parent)) {
      if (lives(one)) return one
    }
    return null
  }

  /** A member stays one. Parents come first, whatever their ids. */
  #note(pid, now, before) {
    const known = this.#seen.get(pid)
    if (known) return known.isMember
    const found = now.get(pid)
    if (!found) return false
    const last = before.get(pid)?.bornAt === found.bornAt ? before.get(pid) : null
    const tries = (last?.tries ?? 0) + 1
    const isMember =
      last?.isMember ||
      (tries <= TRIES && this.#isMember(pid)) ||
      this.#note(found.parent, now, before)
    this.#seen.set(pid, { ...found, isMember, tries })
    return isMember
  }
}

import { E_TOO_MANY_SEARCHES } from '#knowledge/errors'

/** Searches of one owner at once, and how many more may wait: each may take tenths of a second of the database. */
const AT_ONCE = 2
const WAITING = 50

interface Turns {
  running: number
  waiting: (() => void)[]
}

/** Lets a few searches of each owner run at once. Further ones wait in order, and delay no other owner's. */
export class SearchTurns {
  readonly #turns = new Map<string, Turns>()

  /** @throws E_TOO_MANY_SEARCHES if too many wait, and whatever the search throws */
  async run<Result>(userId: string, search: () => Promise<Result>): Promise<Result> {
    const turns = this.#turns.get(userId) ?? { running: 0, waiting: [] }
    this.#turns.set(userId, turns)
    if (turns.running < AT_ONCE) turns.running++
    else {
      if (turns.waiting.length >= WAITING) throw new E_TOO_MANY_SEARCHES()
      await new Promise<void>((resolve) => turns.waiting.push(resolve))
    }
    try {
      return await search()
    } finally {
      this.#end(userId, turns)
    }
  }

  /** The next in line takes the place over. */
  #end(userId: string, turns: Turns): void {
    const next = turns.waiting.shift()
    if (next) next()
    else if (--turns.running === 0) this.#turns.delete(userId)
  }
}

import { raceSignal } from '#timing/race_signal'

/** Runs tasks of the same key one after another, and those of different keys concurrently. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>()

  /** The signal ends only the wait for a turn. A started task must check the signal itself. */
  async run<Value>(
    key: string,
    task: () => Promise<Value>,
    signal?: AbortSignal | null
  ): Promise<Value> {
    signal?.throwIfAborted()
    const begin = () => {
      signal?.throwIfAborted()
      return task()
    }
    const before = this.#tails.get(key) ?? Promise.resolve()
    const mine = before.then(begin, begin)
    this.#tails.set(key, mine)
    const forget = () => {
      if (this.#tails.get(key) === mine) this.#tails.delete(key)
    }
    mine.then(forget, forget)
    await raceSignal(
      before.catch(() => {}),
      signal
    )
    return mine
  }
}

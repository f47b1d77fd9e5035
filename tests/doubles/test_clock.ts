import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '#timing/clock'

interface Timer {
  at: number
  callback: () => void
  background: boolean
}

/**
 * Limits for a condition, in turns of the event loop and in milliseconds: far more than any real one needs.
 * Both must be exceeded, because turns are quick while a busy machine does other work.
 */
const MOST_TURNS = 20_000
const LONGEST_MS = 10_000

/**
 * A clock without real waiting: `wait` returns at once and advances the time. Timers fire when such a wait or
 * `advance` reaches them.
 */
export class TestClock implements Clock {
  #now = Date.parse('2026-11-23T12:00:00Z')
  #setBackBy = 0
  readonly #timers = new Set<Timer>()

  now = (): number => this.#now - this.#setBackBy
  elapsed = (): number => this.#now

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const end = this.#now + ms
    await turn()
    signal?.throwIfAborted()
    this.#to(Math.max(this.#now, end))
  }

  after(ms: number, callback: () => void, { background = false } = {}): () => void {
    const timer = { at: this.#now + ms, callback, background }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  advance(ms: number): void {
    this.#to(this.#now + ms)
  }

  /** Sets the wall clock back; timers use elapsed time. */
  setBack(ms: number): void {
    this.#setBackBy += ms
  }

  /** Pending timers. */
  get timers(): number {
    return this.#timers.size - this.backgroundTimers
  }

  get backgroundTimers(): number {
    return [...this.#timers].filter(({ background }) => background).length
  }

  #to(end: number): void {
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
    }
    this.#now = end
  }
}

/** Yields to everything else until the condition holds. */
export async function until(condition: () => unknown): Promise<void> {
  const end = performance.now() + LONGEST_MS
  for (let turns = 0; turns < MOST_TURNS || performance.now() < end; turns++) {
    if (await condition()) return
    await turn()
  }
  throw new Error('The condition never came to hold')
}

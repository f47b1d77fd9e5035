import { systemClock, type Clock } from '#timing/clock'

/** The shortest interval of a sweep over agents; more frequent work is a replica's own. */
const SWEEP_MS = 10_000

/** A clock that holds sweeps back while single ones are measured, which would count them as well. */
export class SweepClock implements Clock {
  readonly now = systemClock.now
  readonly elapsed = systemClock.elapsed
  readonly wait = systemClock.wait
  readonly #held = new Set<() => void>()
  #isHolding = false

  hold(): void {
    this.#isHolding = true
  }

  /** Begins what became due meanwhile. */
  release(): void {
    this.#isHolding = false
    const due = [...this.#held]
    this.#held.clear()
    for (const begin of due) begin()
  }

  after(ms: number, callback: () => void, options?: { background?: boolean }): () => void {
    const isSweep = options?.background === true && ms >= SWEEP_MS
    const begin = () => {
      if (isSweep && this.#isHolding) this.#held.add(begin)
      else callback()
    }
    const cancel = systemClock.after(ms, begin, options)
    return () => {
      this.#held.delete(begin)
      cancel()
    }
  }
}

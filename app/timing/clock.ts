import { setTimeout as wait } from 'node:timers/promises'

/** Time as the agents' services see it. Tests substitute their own. */
export interface Clock {
  /** Milliseconds of the epoch. */
  now(): number
  /** Milliseconds on a monotonic clock of arbitrary origin, for measuring durations. */
  elapsed(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason if it aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back once; the returned function cancels it. `background` does not keep the process alive. */
  after(ms: number, callback: () => void, options?: { background?: boolean }): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),

  async wait(ms, signal) {
    signal?.throwIfAborted()
    await wait(ms, undefined, { signal }).catch(() => signal?.throwIfAborted())
  },

  after(ms, callback, options) {
    const timer = setTimeout(callback, ms)
    if (options?.background) timer.unref()
    return () => clearTimeout(timer)
  },
}

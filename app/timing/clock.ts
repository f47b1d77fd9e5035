/** Time as the agents' services see it. Tests put one of their own in its place. */
export interface Clock {
  /** Milliseconds of the epoch. */
  now(): number
  /** Milliseconds since some moment, of a clock that nobody sets: for how long something takes. */
  elapsed(): number
  /** Resolves after that many milliseconds; rejects with the signal's reason when it aborts. */
  wait(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back once; the returned function calls it off. `background` does not keep the process alive. */
  after(ms: number, callback: () => void, options?: { background?: boolean }): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),

  wait(ms, signal) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal?.aborted) {
      reject(signal.reason)
      return promise
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }, ms)
    const leave = () => {
      clearTimeout(timer)
      reject(signal!.reason)
    }
    signal?.addEventListener('abort', leave, { once: true })
    return promise
  },

  after(ms, callback, options) {
    const timer = setTimeout(callback, ms)
    if (options?.background) timer.unref()
    return () => clearTimeout(timer)
  },
}

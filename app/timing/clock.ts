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

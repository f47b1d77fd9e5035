import type { Clock } from '#timing/clock'

/** Something took longer than it was given. */
export class DeadlineExceeded extends Error {
  constructor(readonly ms: number) {
    super(`Not done within ${ms} ms.`)
    this.name = 'DeadlineExceeded'
  }
}

/**
 * Does the work within that many milliseconds, and while the outer signal lives. The work gets a signal
 * that tells it when to give up; should it not listen, the wait ends all the same.
 *
 * @throws DeadlineExceeded, the outer signal's reason, what the work throws
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  outer?.throwIfAborted()
  const inner = new AbortController()
  const ended = Promise.withResolvers<never>()
  const end = (reason: unknown) => {
    inner.abort(reason)
    ended.reject(reason)
  }
  const leave = () => end(outer!.reason)
  outer?.addEventListener('abort', leave, { once: true })
  const callOff = clock.after(ms, () => end(new DeadlineExceeded(ms)))
  try {
    return await Promise.race([work(inner.signal), ended.promise])
  } finally {
    callOff()
    outer?.removeEventListener('abort', leave)
  }
}

import type { Clock } from '#timing/clock'
import { raceSignal } from '#timing/race_signal'

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
  const signal = outer ? AbortSignal.any([outer, inner.signal]) : inner.signal
  const cancel = clock.after(ms, () => inner.abort(new DeadlineExceeded(ms)))
  try {
    return await raceSignal(work(signal), signal)
  } finally {
    cancel()
  }
}

import type { Clock } from '#timing/clock'
import { raceSignal } from '#timing/race_signal'

/** The work exceeded its time limit. */
export class DeadlineExceeded extends Error {
  constructor(readonly ms: number) {
    super(`Not done within ${ms} ms.`)
    this.name = 'DeadlineExceeded'
  }
}

/**
 * Runs the work within `ms` milliseconds, and while the outer signal is not aborted. The work gets a
 * signal to abort on; the wait ends even if the work ignores it.
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

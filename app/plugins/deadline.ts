import { systemClock } from '#timing/clock'
import { DeadlineExceeded, within } from '#timing/deadline'

const DEFAULT_SEC = 30

/**
 * Returns how many milliseconds a plugin's import, and each method of its provider, may take.
 * `PLUGIN_TIMEOUT_SEC` overrides it.
 */
export function pluginDeadlineMs(): number {
  const seconds = Number(process.env.PLUGIN_TIMEOUT_SEC)
  return (seconds > 0 ? seconds : DEFAULT_SEC) * 1000
}

/**
 * Runs a plugin's code, and waits no longer than the deadline. Its timer keeps the process alive: Node would end
 * without a word while nothing but a promise is awaited that never settles.
 *
 * @param what the code in the message, such as `boot()`
 * @throws if the code takes longer, and what it throws
 */
export async function inTime<Result>(
  what: string,
  ms: number,
  code: () => Result | Promise<Result>
): Promise<Result> {
  try {
    return await within(systemClock, ms, undefined, async () => code())
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error
    throw new Error(`${what} did not end within ${ms / 1000} seconds.`, { cause: error })
  }
}

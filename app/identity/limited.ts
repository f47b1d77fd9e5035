import { errors, type Limiter } from '@adonisjs/limiter'

/** How far apart the clocks of two copies of Mosaic, which count in the same rows, may be: seconds. */
const CLOCKS_APART_SEC = 60

/**
 * Counts one request. A wait that is far longer than the limiter's whole window was reckoned before the
 * clock was set back: it begins anew, so that nobody is kept out until the clock has caught up.
 *
 * @throws E_TOO_MANY_REQUESTS
 */
export async function consume(limiter: Limiter, key: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (error) {
    const isReal = !(error instanceof errors.E_TOO_MANY_REQUESTS)
    if (isReal || error.response.availableIn <= limiter.duration + CLOCKS_APART_SEC) throw error
    await limiter.delete(key)
    await limiter.consume(key)
  }
}

import { errors, type Limiter, type LimiterResponse } from '@adonisjs/limiter'

/** Largest clock difference, in seconds, between two replicas that count in the same rows. */
const CLOCKS_APART_SEC = 60

/**
 * Counts one request. A wait far longer than the limiter's window was computed before the clock was set back;
 * it is reset, so that nobody is locked out until the clock has caught up.
 *
 * @throws E_TOO_MANY_REQUESTS
 */
export async function consume(limiter: Limiter, key: string): Promise<void> {
  try {
    await limiter.consume(key)
  } catch (error) {
    if (!(error instanceof errors.E_TOO_MANY_REQUESTS)) throw error
    if (isPlausible(limiter, error.response)) throw error
    await limiter.delete(key)
    await limiter.consume(key)
  }
}

/** Counts one request like `consume`, and lets the caller decide how many are too many. */
export async function count(limiter: Limiter, key: string): Promise<LimiterResponse> {
  const counted = await limiter.increment(key)
  if (isPlausible(limiter, counted)) return counted
  await limiter.delete(key)
  return limiter.increment(key)
}

const isPlausible = ({ duration }: Limiter, { availableIn }: LimiterResponse) =>
  availableIn <= duration + CLOCKS_APART_SEC

import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { consume } from '#identity/limited'
import { networkOf } from '#identity/network_of'

/** Per source network and step: an office signs in within minutes, a program asks thousands of times. */
const LIMIT = { requests: 120, duration: '1 min' }

/**
 * Limits how often strangers begin a sign-in with a service, which leaves a session row, and return from one, which
 * has Mosaic call the service. Runs before the session.
 */
export default class ServiceSignInLimitMiddleware {
  /** @throws E_TOO_MANY_REQUESTS until the minute is over */
  async handle({ request }: HttpContext, next: NextFn, step: 'start' | 'callback') {
    const limiter = (await app.container.make('limiter.manager')).use(LIMIT)
    await consume(limiter, `sign_in:${step}:${networkOf(request.ip())}`)
    return next()
  }
}

import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { errors } from '@adonisjs/shield'
import FrameworkShield from '@adonisjs/shield/shield_middleware'
import { isApiPath } from '#exceptions/answer_form'
import { isOnboarding, type RouteSecurity } from '#identity/access_rules'
import { bearerOf } from '#identity/bearer'
import { E_NOT_FOUND, E_NOT_SIGNED_IN } from '#identity/errors'

/** Browsers use https for half a year. */
const HTTPS_ONLY = `max-age=${180 * 24 * 3600}`
const XSRF_HEADER = 'x-xsrf-token'

/** Security headers and CSRF check for browser sessions; requests with an access token skip them. */
@inject()
export default class ShieldMiddleware {
  constructor(protected framework: FrameworkShield) {}

  async handle(ctx: HttpContext, next: NextFn) {
    /** Sent only over https: an installation without it must stay reachable. */
    if (ctx.request.secure()) ctx.response.header('Strict-Transport-Security', HTTPS_ONLY)
    /** Personal data stays out of disk caches and of the back button's cache. */
    ctx.response.header('Cache-Control', 'no-store')
    if (bearerOf(ctx.request)) return next()
    dropMalformedToken(ctx.request)
    try {
      return await this.framework.handle(ctx, next)
    } catch (error) {
      if (error instanceof errors.E_BAD_CSRF_TOKEN) await this.#refuseStranger(ctx)
      throw error
    }
  }

  /**
   * Answers a program that has neither a session nor a token as any other stranger. Where everyone may come, the
   * missing CSRF token is the reason.
   */
  async #refuseStranger({ auth, request, route, session }: HttpContext): Promise<void> {
    const { access }: RouteSecurity = route?.meta ?? {}
    if (!isApiPath(request.url()) || session.has(auth.use('web').sessionKeyName)) return
    if (access && isOnboarding(access)) {
      const settings = await app.container.make('settings')
      if (await settings.get('onboarding.completed')) throw new E_NOT_FOUND()
    }
    if (access !== 'anyone' && access !== 'onboarding') throw new E_NOT_SIGNED_IN()
  }
}

/** Shield decodes the token outside its own errors. A malformed one is none. */
function dropMalformedToken(request: HttpContext['request']): void {
  try {
    decodeURIComponent(request.header(XSRF_HEADER, '')!)
  } catch {
    delete request.request.headers[XSRF_HEADER]
  }
}

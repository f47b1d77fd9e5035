import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import FrameworkSession from '@adonisjs/session/session_middleware'
import { rewriteCookies } from '#identity/response_cookies'
import { bearerOf } from '#identity/bearer'

/**
 * Provides browsers with a session. A request with an access token gets none, so scripts leave no session rows.
 * Over https (which a proxy on loopback terminates) every cookie is marked `Secure`.
 */
@inject()
export default class SessionMiddleware {
  constructor(protected framework: FrameworkSession<any>) {}

  async handle(ctx: HttpContext, next: NextFn) {
    if (bearerOf(ctx.request)) return next()
    const output = await this.framework.handle(ctx, next)
    if (ctx.request.secure()) rewriteCookies(ctx.response, asSecure)
    return output
  }
}

const asSecure = (cookie: string) => (/; *secure(;|$)/i.test(cookie) ? cookie : `${cookie}; Secure`)

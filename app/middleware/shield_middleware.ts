import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import FrameworkShield from '@adonisjs/shield/shield_middleware'
import { bearerOf } from '#identity/bearer'

/** The headers and the CSRF check that protect a browser's session; an access token has none. */
@inject()
export default class ShieldMiddleware {
  constructor(protected framework: FrameworkShield) {}

  handle(ctx: HttpContext, next: NextFn) {
    if (!bearerOf(ctx.request)) return this.framework.handle(ctx, next)
    ctx.response.header('X-Content-Type-Options', 'nosniff')
    return next()
  }
}

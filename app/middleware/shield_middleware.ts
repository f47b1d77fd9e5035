import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import FrameworkShield from '@adonisjs/shield/shield_middleware'
import { bearerOf } from '#identity/bearer'

/** Browsers use https for half a year. */
const HTTPS_ONLY = `max-age=${180 * 24 * 3600}`

/** Security headers and CSRF check for browser sessions; requests with an access token skip them. */
@inject()
export default class ShieldMiddleware {
  constructor(protected framework: FrameworkShield) {}

  handle(ctx: HttpContext, next: NextFn) {
    /** Sent only over https: an installation without it must stay reachable. */
    if (ctx.request.secure()) ctx.response.header('Strict-Transport-Security', HTTPS_ONLY)
    /** Personal data stays out of disk caches and of the back button's cache. */
    ctx.response.header('Cache-Control', 'no-store')
    return bearerOf(ctx.request) ? next() : this.framework.handle(ctx, next)
  }
}

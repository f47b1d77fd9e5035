import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import FrameworkShield from '@adonisjs/shield/shield_middleware'
import { bearerOf } from '#identity/bearer'

/** Browsers come back by https for half a year. */
const HTTPS_ONLY = `max-age=${180 * 24 * 3600}`

/** The headers and the CSRF check that protect a browser's session; an access token has none. */
@inject()
export default class ShieldMiddleware {
  constructor(protected framework: FrameworkShield) {}

  handle(ctx: HttpContext, next: NextFn) {
    /** Said over https alone: an installation without it must stay reachable. */
    if (ctx.request.secure()) ctx.response.header('Strict-Transport-Security', HTTPS_ONLY)
    /** What is someone's own stays on no disk, and is not there for whoever goes back after them. */
    ctx.response.header('Cache-Control', 'no-store')
    return bearerOf(ctx.request) ? next() : this.framework.handle(ctx, next)
  }
}

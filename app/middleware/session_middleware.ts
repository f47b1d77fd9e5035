import { inject } from '@adonisjs/core'
import type { HttpContext, HttpResponse } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import FrameworkSession from '@adonisjs/session/session_middleware'
import { bearerOf } from '#identity/bearer'

/**
 * A session for browsers. A request with an access token gets none, so scripts leave no session rows
 * behind. Over https (which a proxy on loopback ends) every cookie is marked `Secure`.
 */
@inject()
export default class SessionMiddleware {
  constructor(protected framework: FrameworkSession<any>) {}

  async handle(ctx: HttpContext, next: NextFn) {
    if (bearerOf(ctx.request)) return next()
    const output = await this.framework.handle(ctx, next)
    if (ctx.request.secure()) secureCookies(ctx.response)
    return output
  }
}

function secureCookies(response: HttpResponse): void {
  const cookies = [response.getHeader('set-cookie') ?? []].flat().map(String)
  if (cookies.length === 0) return
  response.removeHeader('set-cookie')
  for (const cookie of cookies) {
    response.append('set-cookie', /; *secure(;|$)/i.test(cookie) ? cookie : `${cookie}; Secure`)
  }
}

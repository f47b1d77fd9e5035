import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { trustedProxies } from '#settings/trusted_proxies'

const FORWARDED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host']

/**
 * Before anybody asks where a request came from: which proxies are believed at this moment. Only for
 * requests that came through one, so that a probe needs no database.
 */
export default class ForwardedMiddleware {
  async handle({ request, logger }: HttpContext, next: NextFn) {
    if (FORWARDED.some((name) => request.header(name))) {
      const settings = await app.container.make('settings')
      try {
        trustedProxies.follow(await settings.get('network.trustedProxies'))
      } catch (error) {
        logger.warn({ err: error }, 'Which proxies are trusted is not known anew')
      }
    }
    return next()
  }
}

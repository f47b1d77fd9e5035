import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { trustedProxies } from '#settings/trusted_proxies'
import { FORWARDING_HEADERS } from '#settings/unlisted_proxies'

/**
 * Loads the currently trusted proxies before anything reads the request's origin. Only for forwarded requests,
 * so that a probe needs no database. Records proxies that are not listed.
 */
export default class ForwardedMiddleware {
  async handle({ request, logger }: HttpContext, next: NextFn) {
    const headers = FORWARDING_HEADERS.filter((name) => request.header(name))
    if (headers.length > 0) {
      const { container } = app
      try {
        const settings = await container.make('settings')
        trustedProxies.follow(await settings.get('network.trustedProxies'))
        const peer = request.request.socket.remoteAddress
        if (peer && !trustedProxies.trusts(peer)) {
          await (await container.make('settings.unlistedProxies')).note(peer, headers)
        }
      } catch (error) {
        logger.warn({ err: error }, 'Which proxies are trusted is not known at this moment')
      }
    }
    return next()
  }
}

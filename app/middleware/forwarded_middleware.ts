import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { trustedProxies } from '#settings/trusted_proxies'
import { FORWARDING_HEADERS } from '#settings/unlisted_proxies'

/**
 * Before anybody asks where a request came from: which proxies are believed at this moment. Only for
 * requests that came through one, so that a probe needs no database. One that is not listed is noted.
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

import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { allows } from '#identity/access_tokens'
import { tokenOf } from '#identity/bearer'
import { E_NOT_ALLOWED, E_NOT_SIGNED_IN, E_TOKEN_ABILITY } from '#identity/errors'
import { may } from '#identity/permissions'

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/** `GET /metrics`: Prometheus' text format, for admins and for a scraper on this machine. */
export default class MetricsController {
  async show({ auth, request, response }: HttpContext) {
    if (!auth.user && !isLocal(request)) throw new E_NOT_SIGNED_IN()
    const token = tokenOf(auth)
    if (token && !allows(token.abilities, 'read')) throw new E_TOKEN_ABILITY('read')
    if (auth.user && !may(auth.user, 'seeOperation')) throw new E_NOT_ALLOWED()

    const agents = await app.container.make('agents.metrics')
    const gauges = await app.container.make('agents.gauges')
    const relay = await app.container.make('chat.metrics')
    const process = await app.container.make('metrics.process')
    response.header('content-type', process.contentType)
    const texts = [agents.render(await gauges()), relay.render(), process.metrics()]
    return response.send((await Promise.all(texts)).join(''))
  }
}

/** A proxy on this machine would make every client look local; its forwarding headers give it away. */
function isLocal(request: HttpContext['request']): boolean {
  const proxied = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'].some((name) =>
    request.header(name)
  )
  return !proxied && LOOPBACK.has(request.request.socket.remoteAddress ?? '')
}

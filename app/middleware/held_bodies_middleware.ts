import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { HeldBodies } from '#identity/held_bodies'
import { networkOf } from '#identity/network_of'

const MEGABYTE = 1024 * 1024

/** The body parser reads no more per body, whatever length it announces: see `config/bodyparser.ts`. */
const MOST_OF_ONE = MEGABYTE

/** Forms are kilobytes. Everyone behind one address shares its part. */
const LIMITS = { ofOne: 16 * MEGABYTE, ofAll: 128 * MEGABYTE }

const bodies = new HeldBodies(() => LIMITS)

/**
 * Counts a body against its source network, before it is read and its sender known, until it is complete or the
 * sender has left.
 */
export default class HeldBodiesMiddleware {
  handle({ request }: HttpContext, next: NextFn) {
    const { request: incoming } = request
    const bytes = announced(incoming.headers)
    if (bytes > 0) {
      const hold = bodies.open(networkOf(request.ip()))
      hold.take(bytes)
      incoming.once('close', hold.release)
    }
    return next()
  }
}

/** Returns the announced length of a body, or the maximum if it has none. */
function announced(headers: { 'content-length'?: string; 'transfer-encoding'?: string }): number {
  if (headers['transfer-encoding']) return MOST_OF_ONE
  const length = Number(headers['content-length'] ?? 0)
  return Math.min(Number.isFinite(length) ? length : MOST_OF_ONE, MOST_OF_ONE)
}

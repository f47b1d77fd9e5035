import type { IncomingHttpHeaders } from 'node:http'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { demandPlainBody } from '#identity/compressed_body'
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
 * sender has left. Refuses a compressed body unread: only decompression shows its size.
 */
export default class HeldBodiesMiddleware {
  /** @param mostOfOne bytes that the body parser of the route reads at most */
  handle({ request }: HttpContext, next: NextFn, mostOfOne = MOST_OF_ONE) {
    const { request: incoming } = request
    demandPlainBody(incoming.headers)
    const bytes = announced(incoming.headers, mostOfOne)
    /** A sender who left while an earlier middleware waited: nothing closes a second time. */
    if (bytes > 0 && !incoming.destroyed) {
      const hold = bodies.open(networkOf(request.ip()))
      hold.take(bytes)
      incoming.once('close', hold.release)
    }
    return next()
  }
}

/** Returns the announced length of a body, or the maximum if it has none. */
function announced(headers: IncomingHttpHeaders, most: number): number {
  if (headers['transfer-encoding']) return most
  const length = Number(headers['content-length'] ?? 0)
  return Math.min(Number.isFinite(length) ? length : most, most)
}

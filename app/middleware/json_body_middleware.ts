import type { IncomingHttpHeaders } from 'node:http'
import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import { E_JSON_ONLY } from '#identity/errors'

/** Refuses a body of another type than JSON: its fields would not be read, and a change would change nothing. */
export default class JsonBodyMiddleware {
  /** @throws E_JSON_ONLY */
  handle({ request }: HttpContext, next: NextFn) {
    if (hasBytes(request.headers()) && !request.is(['json'])) throw new E_JSON_ONLY()
    return next()
  }
}

function hasBytes(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

import type { HttpContext, HttpRequest } from '@adonisjs/core/http'
import type { AccessToken } from '@adonisjs/auth/access_tokens'

/**
 * Returns the access token of a request, or null. A browser never sends this scheme by itself, so such a
 * request needs no session and no CSRF check, and its cookie never signs it in.
 */
export function bearerOf(request: HttpRequest): string | null {
  const match = /^Bearer +(\S+)$/i.exec(request.header('authorization') ?? '')
  return match ? match[1] : null
}

/** Returns the access token of a request, or null if the request has a session or is anonymous. */
export function tokenOf(auth: HttpContext['auth']): AccessToken | null {
  return auth.authenticatedViaGuard === 'api' ? auth.use('api').user!.currentAccessToken : null
}

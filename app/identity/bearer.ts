import type { HttpRequest } from '@adonisjs/core/http'

/**
 * The access token of a request, or null. A browser never sends this scheme by itself, so a request
 * that carries it needs no session and no CSRF check, and is never signed in by its cookie.
 */
export function bearerOf(request: HttpRequest): string | null {
  const match = /^Bearer +(\S+)$/i.exec(request.header('authorization') ?? '')
  return match ? match[1] : null
}

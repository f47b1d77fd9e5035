import type { HttpResponse } from '@adonisjs/core/http'

/** Rewrites the cookies that a response has set so far; null drops one. A stream has sent its headers, without any. */
export function rewriteCookies(
  response: HttpResponse,
  rewrite: (cookie: string) => string | null
): void {
  if (response.headersSent) return
  const cookies = [response.getHeader('set-cookie') ?? []].flat().map(String)
  if (cookies.length === 0) return
  response.removeHeader('set-cookie')
  for (const cookie of cookies) {
    const rewritten = rewrite(cookie)
    if (rewritten !== null) response.append('set-cookie', rewritten)
  }
}

/** Returns the name in a `Set-Cookie` header. */
export const cookieName = (cookie: string) => cookie.slice(0, cookie.indexOf('='))

import type { HttpContext } from '@adonisjs/core/http'
import { isValidRedirectUrl } from '@adonisjs/core/http/helpers'

/** Signed by the framework. Not kept in the session: strangers who visit pages would leave a row each. */
const COOKIE = 'mosaic_intended'

/** A browser keeps four kilobytes of cookie. */
const MAX_LENGTH = 1000

const isPage = (path: unknown): path is string =>
  typeof path === 'string' && path.length <= MAX_LENGTH && isValidRedirectUrl(path)

/** The page a person wanted before they had to sign in or confirm their identity. */
export const intendedPage = {
  remember({ response }: HttpContext, path: string): void {
    if (isPage(path)) response.cookie(COOKIE, path, { maxAge: '1h' })
  },

  /** Returns the page and forgets it. */
  take({ request, response }: HttpContext): string | null {
    const path: unknown = request.cookie(COOKIE)
    if (path === undefined || path === null) return null
    response.clearCookie(COOKIE)
    return isPage(path) ? path : null
  },
}

import { createHash, randomUUID } from 'node:crypto'
import type { HttpContext } from '@adonisjs/core/http'

const COOKIE = 'mosaic_browser'

/** Accounts that one browser is remembered for. */
const MAX_ACCOUNTS = 5

/**
 * A browser that has signed in to an account with its password before has its own count of wrong ones
 * there, so no stranger who tries passwords can lock its user out. The cookie proves nothing else: who
 * steals it may be wrong as often as anybody.
 */
export const knownBrowsers = {
  /** An id of this browser for the account, or null where it is new to it. */
  find({ request }: HttpContext, username: string): string | null {
    return accountsOf(request).find(([name]) => name === hashOf(username))?.[1] ?? null
  },

  remember({ request, response }: HttpContext, username: string): void {
    const name = hashOf(username)
    const accounts = accountsOf(request)
    const id = accounts.find((one) => one[0] === name)?.[1] ?? randomUUID()
    const others = accounts.filter((one) => one[0] !== name).slice(0, MAX_ACCOUNTS - 1)
    response.encryptedCookie(COOKIE, [[name, id], ...others], { maxAge: '180d' })
  },
}

/** Sealed by Mosaic, so what is in it was written here. */
function accountsOf(request: HttpContext['request']): [name: string, id: string][] {
  const held: unknown = request.encryptedCookie(COOKIE)
  return Array.isArray(held) ? held : []
}

const hashOf = (username: string) =>
  createHash('sha256').update(username).digest('base64url').slice(0, 16)

import { createHash, randomUUID } from 'node:crypto'
import type { HttpContext } from '@adonisjs/core/http'

const COOKIE = 'mosaic_browser'

/** Accounts remembered per browser. */
const MAX_ACCOUNTS = 5

/**
 * Remembers browsers that have signed in to an account with its password. Each has its own count of wrong
 * passwords there, so strangers who try passwords cannot lock the user out. The cookie proves nothing else: a
 * thief gets only the usual number of attempts.
 */
export const knownBrowsers = {
  /** Returns this browser's ID for the account, or null if the browser is new to it. */
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

/** Encrypted by Mosaic, so the content is trusted. */
function accountsOf(request: HttpContext['request']): [name: string, id: string][] {
  const held: unknown = request.encryptedCookie(COOKIE)
  return Array.isArray(held) ? held : []
}

const hashOf = (username: string) =>
  createHash('sha256').update(username).digest('base64url').slice(0, 16)

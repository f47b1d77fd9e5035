import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { HttpContext } from '@adonisjs/core/http'
import type User from '#models/user'
import type { Audit } from '#audit/audit'

/** How a session began. */
export type SignInMethod = 'breakglass' | 'password' | 'oidc'

const METHOD_KEY = 'signed_in_with'

/** Sessions of browsers: rows that name their user, so that all of one user's can be ended. */
export class Sessions {
  constructor(protected audit: Audit) {}

  /** Signs the browser in under a new session id. */
  async start(ctx: HttpContext, user: User, method: SignInMethod): Promise<void> {
    await ctx.auth.use('web').login(user)
    ctx.session.put(METHOD_KEY, method)
    await ctx.session.tag(user.id)

    user.lastSignInAt = DateTime.utc()
    await user.save()
    await this.audit.record({
      actor: user,
      action: 'session.started',
      details: { method },
      address: ctx.request.ip(),
    })
  }

  /** Signs the browser out: nothing of the session is kept. A request with a token has none to end. */
  async end(ctx: HttpContext): Promise<void> {
    if (ctx.auth.authenticatedViaGuard === 'api') return
    const { user } = ctx.auth
    await ctx.auth.use('web').logout()
    ctx.session.clear()
    ctx.session.regenerate()
    if (!user) return
    const address = ctx.request.ip()
    await this.audit.record({ actor: user, action: 'session.ended', address })
  }

  /** Ends every session of a user. Returns how many there were. */
  async endAllOf(userId: string): Promise<number> {
    const ended = await db.from('sessions').where('user_id', userId).delete()
    return Number([ended].flat()[0])
  }

  /** How the request is signed in: by which sign-in of its session, or by an access token. */
  methodOf(ctx: HttpContext): SignInMethod | 'token' {
    if (ctx.auth.authenticatedViaGuard === 'api') return 'token'
    return ctx.session.get(METHOD_KEY, 'breakglass')
  }
}

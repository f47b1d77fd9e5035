import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { intendedPage } from '#identity/intended_page'
import { endSession, startWithPassword } from '#controllers/session_acts'
import MeTransformer from '#transformers/me_transformer'
import SessionTransformer from '#transformers/session_transformer'
import { confirmValidator, pageValidator } from '#validators/identity'
import { pageOf } from '#models/page'

/**
 * `/api/v1/session`: sign-in and sign-out as JSON; `redirectTo` is the next page. `/api/v1/sessions`: the
 * browsers in which a user is signed in.
 */
export default class SessionsController {
  /**
   * Needs no CSRF token, because the caller has no session yet. It accepts only JSON, which forms on other
   * sites cannot send.
   */
  async store(ctx: HttpContext) {
    const { user, method } = await startWithPassword(ctx)
    const { data } = await ctx.serialize(MeTransformer.transform(user, method))
    const redirectTo = intendedPage.take(ctx) ?? '/chat'
    return ctx.response.created({ data: { ...data, redirectTo } })
  }

  /** Returns a sign-out page if the session began at a provider that has one. */
  async destroy(ctx: HttpContext) {
    const redirectTo = await endSession(ctx)
    if (!redirectTo) return ctx.response.noContent()
    return { data: { redirectTo } }
  }

  /** Confirms the user's identity with their password. */
  async confirm(ctx: HttpContext) {
    const { password } = await ctx.request.validateUsing(confirmValidator)
    const signIn = await app.container.make('identity.signIn')
    await signIn.confirm(ctx.auth.user!, password, ctx.request.ip())
    const sessions = await app.container.make('identity.sessions')
    await sessions.confirm(ctx)
    return ctx.response.noContent()
  }

  async index({ auth, request, serialize, session }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const sessions = await app.container.make('identity.sessions')
    const all = await sessions.list(auth.user!, session?.sessionId ?? null)
    const { rows, meta } = pageOf(all, query)
    return serialize(SessionTransformer.paginate(rows, meta))
  }

  async revoke({ auth, params, request, response }: HttpContext) {
    const sessions = await app.container.make('identity.sessions')
    await sessions.revoke(auth.user!, params.id, request.ip())
    return response.noContent()
  }

  /** Revokes all sessions but the caller's. */
  async revokeOthers({ auth, request, response, session }: HttpContext) {
    const sessions = await app.container.make('identity.sessions')
    await sessions.revokeOthers(auth.user!, session?.sessionId ?? null, request.ip())
    return response.noContent()
  }
}

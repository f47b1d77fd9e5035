import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { E_JSON_ONLY } from '#identity/errors'
import MeTransformer from '#transformers/me_transformer'
import { signInValidator } from '#validators/identity'

/** `POST` and `DELETE /api/v1/session`: signing in and out as JSON. `redirectTo` is the page asked for. */
export default class SessionsController {
  /**
   * Needs no CSRF token, because the caller has no session yet; JSON alone keeps out the forms of
   * other sites, which cannot send it.
   */
  async store(ctx: HttpContext) {
    if (!ctx.request.is(['json'])) throw new E_JSON_ONLY()
    const credentials = await ctx.request.validateUsing(signInValidator)

    const signIn = await app.container.make('identity.signIn')
    const user = await signIn.withPassword(credentials, ctx.request.ip())
    const sessions = await app.container.make('identity.sessions')
    await sessions.start(ctx, user, 'breakglass')
    const { data } = await ctx.serialize(MeTransformer.transform(user, 'breakglass'))
    const redirectTo = ctx.session.pullIntendedUrl() ?? '/chat'
    return ctx.response.created({ data: { ...data, redirectTo } })
  }

  async destroy(ctx: HttpContext) {
    const sessions = await app.container.make('identity.sessions')
    await sessions.end(ctx)
    return ctx.response.noContent()
  }
}

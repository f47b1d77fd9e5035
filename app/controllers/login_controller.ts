import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { publicOrigin } from '#controllers/public_origin'
import { knownBrowsers } from '#identity/known_browsers'
import { intendedPage } from '#identity/intended_page'
import { signInValidator } from '#validators/identity'

/** The login page's form, and sign-out from any page. */
export default class LoginController {
  async store(ctx: HttpContext) {
    const credentials = await ctx.request.validateUsing(signInValidator)

    const signIn = await app.container.make('identity.signIn')
    const { user, method } = await signIn.withPassword(
      credentials,
      ctx.request.ip(),
      knownBrowsers.find(ctx, credentials.username)
    )
    const sessions = await app.container.make('identity.sessions')
    await sessions.start(ctx, user, method)
    knownBrowsers.remember(ctx, credentials.username)
    return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
  }

  async destroy(ctx: HttpContext) {
    const sessions = await app.container.make('identity.sessions')
    const idToken = await sessions.end(ctx)
    const oidc = await app.container.make('identity.oidc')
    const origin = await publicOrigin(ctx)
    const elsewhere = idToken && (await oidc.signOutUrl(idToken, `${origin}/login`))
    return ctx.response.redirect().toPath(elsewhere || '/login')
  }
}

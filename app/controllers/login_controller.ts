import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { signInValidator } from '#validators/identity'

/** The sign-in form of the login page, and signing out of any page. */
export default class LoginController {
  async store(ctx: HttpContext) {
    const credentials = await ctx.request.validateUsing(signInValidator)

    const signIn = await app.container.make('identity.signIn')
    const user = await signIn.withPassword(credentials, ctx.request.ip())
    const sessions = await app.container.make('identity.sessions')
    await sessions.start(ctx, user, 'breakglass')
    return ctx.response.redirect().toIntended('/chat')
  }

  async destroy(ctx: HttpContext) {
    const sessions = await app.container.make('identity.sessions')
    await sessions.end(ctx)
    return ctx.response.redirect().toPath('/login')
  }
}

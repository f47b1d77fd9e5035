import type { HttpContext } from '@adonisjs/core/http'
import { endSession, startWithPassword } from '#controllers/session_acts'
import { intendedPage } from '#identity/intended_page'

/** The login page's form, and sign-out from any page. */
export default class LoginController {
  async store(ctx: HttpContext) {
    await startWithPassword(ctx)
    return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
  }

  async destroy(ctx: HttpContext) {
    return ctx.response.redirect().toPath((await endSession(ctx)) || '/login')
  }
}

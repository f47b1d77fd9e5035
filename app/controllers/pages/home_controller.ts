import type { HttpContext } from '@adonisjs/core/http'
import { intendedPage } from '#identity/intended_page'

/** `/`: redirects to the page requested before sign-in, else to the chat. */
export default class HomeController {
  handle(ctx: HttpContext) {
    return ctx.response.redirect().toPath(intendedPage.take(ctx) ?? '/chat')
  }
}

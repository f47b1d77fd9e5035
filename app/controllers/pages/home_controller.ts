import type { HttpContext } from '@adonisjs/core/http'

/** `/`: to the page that was asked for before the sign-in, else to the chat. */
export default class HomeController {
  handle({ response }: HttpContext) {
    return response.redirect().toIntended('/chat')
  }
}

import type { HttpContext } from '@adonisjs/core/http'

/** The sign-in page; redirects signed-in users. */
export default class LoginController {
  handle({ auth, inertia, response }: HttpContext) {
    if (auth.user) return response.redirect().toPath('/')
    return inertia.render('auth/login', {})
  }
}

import type { HttpContext } from '@adonisjs/core/http'

/** The sign-in page; who is signed in goes on. */
export default class LoginController {
  handle({ auth, inertia, response }: HttpContext) {
    if (auth.user) return response.redirect().toPath('/')
    return inertia.render('auth/login', {})
  }
}

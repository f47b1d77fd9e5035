import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { signInJourneys } from '#controllers/sign_in_journeys'

/** `GET /api/v1/sign-in`: the sign-in methods, and why the last attempt failed. */
export default class SignInController {
  async show({ session }: HttpContext) {
    const ways = await app.container.make('identity.signInMethods')
    const failure = session ? signInJourneys.takeFailure(session) : null
    return { data: { ...(await ways.list()), failure } }
  }
}

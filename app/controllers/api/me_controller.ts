import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import MeTransformer from '#transformers/me_transformer'

/** `GET /api/v1/me`. */
export default class MeController {
  async show(ctx: HttpContext) {
    const sessions = await app.container.make('identity.sessions')
    return ctx.serialize(MeTransformer.transform(ctx.auth.user!, sessions.methodOf(ctx)))
  }
}

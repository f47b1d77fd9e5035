import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { requireFreshProof } from '#identity/fresh_proof'
import { listed } from '#models/page'
import { pageValidator } from '#validators/identity'

/** `/api/v1/admin/settings`. A change is an object of keys and values; null restores the default. */
export default class AdminSettingsController {
  async index({ request }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const settings = await app.container.make('settings')
    return listed(await settings.list(), query)
  }

  async update(ctx: HttpContext) {
    const { auth, request } = ctx
    const settings = await app.container.make('settings')
    if ((await settings.keysOf('provenAdmin', request.body())).length > 0) {
      requireFreshProof(ctx, await app.container.make('identity.sessions'))
    }
    const changes = await app.container.make('settings.changes')
    await changes.apply(request.body(), { user: auth.user!, address: request.ip() })
    return this.index(ctx)
  }
}

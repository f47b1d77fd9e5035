import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'

/** `/api/v1/admin/settings`. A change is an object of keys and values; null goes back to the default. */
export default class AdminSettingsController {
  async index() {
    const settings = await app.container.make('settings')
    return { data: await settings.list() }
  }

  async update({ auth, request }: HttpContext) {
    const changes = await app.container.make('settings.changes')
    await changes.apply(request.body(), { user: auth.user!, address: request.ip() })
    return this.index()
  }
}

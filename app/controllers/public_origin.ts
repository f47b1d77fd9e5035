import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'

/** Returns Mosaic's origin for browsers: the setting, else the host of this request. */
export async function publicOrigin({ request }: HttpContext): Promise<string> {
  const settings = await app.container.make('settings')
  const told = await settings.get('network.publicUrl')
  return told ?? `${request.protocol()}://${request.host()}`
}

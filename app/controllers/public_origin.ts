import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'

/** Where browsers find Mosaic: the setting, else what this request was sent to. */
export async function publicOrigin({ request }: HttpContext): Promise<string> {
  const settings = await app.container.make('settings')
  const told = await settings.get('network.publicUrl')
  return told ?? `${request.protocol()}://${request.host()}`
}

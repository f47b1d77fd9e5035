import { Ignitor } from '@adonisjs/core'
import type { ApplicationService } from '@adonisjs/core/types'

/** Boots Mosaic's services without the web process or any listener. */
export async function consoleApp(): Promise<ApplicationService> {
  const root = new URL('../', import.meta.url)
  const app = new Ignitor(root, {
    importer: (path) => import(path.startsWith('.') ? new URL(path, root).href : path),
  }).createApp('console')
  await app.init()
  await app.boot()
  await app.start(() => {})
  return app
}

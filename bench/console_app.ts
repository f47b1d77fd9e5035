import { Ignitor } from '@adonisjs/core'
import type { ApplicationService } from '@adonisjs/core/types'

/** Mosaic's services without its web process: booted, and listening to nothing. */
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

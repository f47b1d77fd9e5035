import app from '@adonisjs/core/services/app'
import type { RuntimeManager } from '#runtimes/manager'

let runtimes: RuntimeManager

/** The runtime drivers of this application, made by `providers/runtime_provider.ts`. */
await app.booted(async () => {
  runtimes = await app.container.make('runtime.manager')
})

export { runtimes as default }

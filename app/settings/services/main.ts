import app from '@adonisjs/core/services/app'
import type { Settings } from '#settings/settings'

let settings: Settings

/** The application's settings, created by `providers/settings_provider.ts`. */
await app.booted(async () => {
  settings = await app.container.make('settings')
})

export { settings as default }

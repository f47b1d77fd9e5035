import type { ApplicationService } from '@adonisjs/core/types'
import type { Settings } from '#settings/settings'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    settings: Settings
  }
}

/** Registers the typed settings as the singleton `settings`. */
export default class SettingsProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('settings', async (resolver) => {
      const { Settings } = await import('#settings/settings')
      return new Settings(await resolver.make('vault.manager'))
    })
  }

  /** A server that cannot read its own secrets must not begin to listen. A code generator serves nobody. */
  async start() {
    if (this.app.getEnvironment() !== 'web' || this.app.getMode() === 'warmup') return
    const { checkBoot } = await import('#settings/boot_check')
    await checkBoot(await this.app.container.make('settings'))

    const { pendingMigrations } = await import('#settings/pending_migrations')
    const pending = await pendingMigrations(await this.app.container.make('lucid.db'), this.app)
    if (pending.length > 0) {
      const { E_DATABASE_NOT_MIGRATED } = await import('#settings/errors')
      throw new E_DATABASE_NOT_MIGRATED()
    }
  }
}

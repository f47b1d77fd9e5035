import type { ApplicationService } from '@adonisjs/core/types'
import type { Settings } from '#settings/settings'
import { declareForwardedMacros } from '#settings/trusted_proxies'
import type { UnlistedProxies } from '#settings/unlisted_proxies'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'settings': Settings
    'settings.unlistedProxies': UnlistedProxies
  }
}

/** Registers the typed settings as the singleton `settings`, and services that depend only on them. */
export default class SettingsProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('settings', async (resolver) => {
      const { Settings } = await import('#settings/settings')
      const { runtimeOptionSettings } = await import('#settings/runtime_options')
      return new Settings(await resolver.make('vault.manager'), Date.now, async () =>
        runtimeOptionSettings(await this.app.container.make('runtime.manager'))
      )
    })
    this.app.container.singleton('settings.unlistedProxies', async (resolver) => {
      const { UnlistedProxies } = await import('#settings/unlisted_proxies')
      return new UnlistedProxies(await resolver.make('settings'))
    })
  }

  boot() {
    declareForwardedMacros()
  }

  /** A server that cannot read its own secrets must not listen. Code generators need no database. */
  async start() {
    if (this.app.getEnvironment() !== 'web' || this.app.getMode() === 'warmup') return
    const { openDatabase } = await import('#installation/boot_check')
    await openDatabase(
      await this.app.container.make('lucid.db'),
      this.app,
      await this.app.container.make('settings')
    )
  }
}

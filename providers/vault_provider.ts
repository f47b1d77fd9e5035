import { configProvider } from '@adonisjs/core'
import { RuntimeException } from '@adonisjs/core/exceptions'
import type { ApplicationService } from '@adonisjs/core/types'

/** Registers the vault of `config/vault.ts` as the singleton `vault.manager`. */
export default class VaultProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('vault.manager', async () => {
      const { VaultManager } = await import('#vaults/manager')
      const config = await configProvider.resolve<ConstructorParameters<typeof VaultManager>[0]>(
        this.app,
        this.app.config.get('vault')
      )
      if (!config) {
        throw new RuntimeException('Invalid "config/vault.ts": export what defineConfig() returns')
      }
      return new VaultManager(config)
    })
  }
}

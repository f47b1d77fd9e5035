import app from '@adonisjs/core/services/app'
import type { VaultManager } from '#vaults/manager'

let vault: VaultManager

/** The vault of this application, made by `providers/vault_provider.ts`. */
await app.booted(async () => {
  vault = await app.container.make('vault.manager')
})

export { vault as default }

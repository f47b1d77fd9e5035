import app from '@adonisjs/core/services/app'
import type { VaultManager } from '#vaults/manager'

let vault: VaultManager

/** The application's vault, created by `providers/vault_provider.ts`. */
await app.booted(async () => {
  vault = await app.container.make('vault.manager')
})

export { vault as default }

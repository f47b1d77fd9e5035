import type { VaultDriverFactory } from '@mosaic/plugin-kit/vault'
import { readKeys } from './keys.ts'
import { AcmeVault } from './vault.ts'

export { AcmeVault }

/** Creates the vault with this installation's keys. */
export const createAcme: VaultDriverFactory = async () => new AcmeVault(await readKeys())

declare module '@mosaic/plugin-kit/vault' {
  interface VaultDrivers {
    acme: true
  }
}

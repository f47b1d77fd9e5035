import type { VaultDriverFactory } from '@mosaic/plugin-kit/vault'
import { readKeys } from './keys.ts'
import { AcmeVault } from './vault.ts'

export { AcmeVault }

/** Creates the vault with this installation's keys, which it reads at the first use. */
export const createAcme: VaultDriverFactory = () => new AcmeVault(readKeys)

declare module '@mosaic/plugin-kit/vault' {
  interface VaultDrivers {
    acme: true
  }
}

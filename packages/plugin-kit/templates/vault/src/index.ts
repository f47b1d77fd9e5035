import type { VaultDriverFactory } from '@mosaic/plugin-kit/vault'
import { readKeys } from './keys.ts'
import { AcmeVault } from './vault.ts'

export { AcmeVault }

/** Makes the vault with the keys of this installation. */
export const createAcme: VaultDriverFactory = async () => new AcmeVault(await readKeys())

declare module '@mosaic/plugin-kit/vault' {
  interface VaultDrivers {
    acme: true
  }
}

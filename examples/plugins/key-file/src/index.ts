import type { VaultDriverFactory } from '@mosaic/plugin-kit/vault'
import { KeyFileVault, type KeyFileConfig } from './vault.ts'

export { E_KEY_FILE } from './keys.ts'
export { KeyFileVault, type KeyFileConfig }

/** Default path of the keys; `KEY_FILE_PATH` overrides it. */
export const DEFAULT_PATH = '/etc/mosaic/keys'

export function createKeyFile(config: Partial<KeyFileConfig> = {}): VaultDriverFactory {
  const path = config.path ?? process.env.KEY_FILE_PATH ?? DEFAULT_PATH
  return () => new KeyFileVault({ path })
}

declare module '@mosaic/plugin-kit/vault' {
  interface VaultDrivers {
    'key-file': true
  }
}

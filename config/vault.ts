import env, { secrets } from '#start/env'
import { drivers } from '#vaults/built_in_drivers'
import { defineConfig } from '#vaults/define_config'
import type { InferDrivers } from '#drivers/define_config'

/** The default vault. `VAULT_DRIVER` may name any other, because plugins can provide vaults. */
const BUILT_IN = 'aes256gcm'

/** The vault that seals secrets before they are stored. */
const vaultConfig = defineConfig({
  default: (env.get('VAULT_DRIVER') || BUILT_IN) as typeof BUILT_IN,
  drivers: {
    aes256gcm: drivers.aes256gcm({ keys: secrets.keys }),
  },
})

export default vaultConfig

declare module '#vaults/manager' {
  interface VaultDrivers extends InferDrivers<typeof vaultConfig> {}
}

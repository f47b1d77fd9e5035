import { secrets } from '#start/env'
import { defineConfig, drivers } from '#vaults/define_config'

/** Where secrets are sealed before they are stored. */
const vaultConfig = defineConfig({
  default: 'aes256gcm',
  drivers: {
    aes256gcm: drivers.aes256gcm({ keys: secrets.keys }),
  },
})

export default vaultConfig

declare module '#vaults/manager' {
  interface VaultDrivers {
    aes256gcm: true
  }
}

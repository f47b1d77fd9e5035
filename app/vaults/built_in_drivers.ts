import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import type { VaultDriverFactory } from '#vaults/define_config'
import type { Aes256GcmConfig } from '#vaults/drivers/aes_256_gcm'

/** Built-in drivers, each imported on first use. */
export const drivers = {
  aes256gcm(config: Aes256GcmConfig): ConfigProvider<VaultDriverFactory> {
    return configProvider.create(async () => async () => {
      const { Aes256GcmDriver } = await import('#vaults/drivers/aes_256_gcm')
      return new Aes256GcmDriver(config)
    })
  },
}

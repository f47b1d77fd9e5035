import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import { resolveDrivers, type Unresolved } from '#drivers/define_config'
import type { DriverFactory, DriversConfig } from '#drivers/driver_manager'
import type { VaultDriver } from '#vaults/contract'
import type { Aes256GcmConfig } from '#vaults/drivers/aes_256_gcm'

/** Makes a driver. Called once, when the driver is first used. */
export type VaultDriverFactory = DriverFactory<VaultDriver>

/** Declares the vaults of an installation: which drivers there are, and which one seals. */
export function defineConfig<Drivers extends Unresolved<VaultDriverFactory>>(
  config: DriversConfig<Drivers>
) {
  return resolveDrivers<VaultDriverFactory, Drivers>(config)
}

/** The drivers that Mosaic brings, each imported when it is first used. */
export const drivers = {
  aes256gcm(config: Aes256GcmConfig): ConfigProvider<VaultDriverFactory> {
    return configProvider.create(async () => async () => {
      const { Aes256GcmDriver } = await import('#vaults/drivers/aes_256_gcm')
      return new Aes256GcmDriver(config)
    })
  },
}

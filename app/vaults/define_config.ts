import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import type { VaultDriver } from '#vaults/contract'
import type { Aes256GcmConfig } from '#vaults/drivers/aes_256_gcm'

/** Makes a driver. Called once, when the driver is first used. */
export type VaultDriverFactory = () => VaultDriver | Promise<VaultDriver>

export interface VaultConfig<Drivers extends Record<string, VaultDriverFactory>> {
  default: keyof Drivers & string
  drivers: Drivers
}

type Unresolved = Record<string, ConfigProvider<VaultDriverFactory> | VaultDriverFactory>

type Resolved<Drivers extends Unresolved> = {
  [Name in keyof Drivers]: Drivers[Name] extends ConfigProvider<infer Factory>
    ? Factory
    : Drivers[Name]
}

/** Declares the vaults of an installation: which drivers there are, and which one seals. */
export function defineConfig<Drivers extends Unresolved>(config: {
  default: keyof Drivers & string
  drivers: Drivers
}) {
  return configProvider.create(async (app) => {
    const drivers: Record<string, VaultDriverFactory> = {}
    for (const [name, driver] of Object.entries(config.drivers)) {
      drivers[name] = typeof driver === 'function' ? driver : await driver.resolver(app)
    }
    return { default: config.default, drivers } as unknown as VaultConfig<
      Resolved<Drivers> & Record<string, VaultDriverFactory>
    >
  })
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

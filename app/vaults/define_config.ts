import { resolveDrivers, type Unresolved } from '#drivers/define_config'
import type { DriverFactory, DriversConfig } from '#drivers/driver_manager'
import type { VaultDriver } from '#vaults/contract'

/** Makes a driver. Called once, when the driver is first used. */
export type VaultDriverFactory = DriverFactory<VaultDriver>

/** Declares the vaults of an installation: which drivers there are, and which one seals. */
export function defineConfig<Drivers extends Unresolved<VaultDriverFactory>>(
  config: DriversConfig<Drivers>
) {
  return resolveDrivers<VaultDriverFactory, Drivers>(config)
}

import { resolveDrivers, type Unresolved } from '#drivers/define_config'
import type { DriverFactory, DriversConfig } from '#drivers/driver_manager'
import type { VaultDriver } from '#vaults/contract'

/** Creates a driver. Called once, on first use of the driver. */
export type VaultDriverFactory = DriverFactory<VaultDriver>

/** Declares an installation's vaults: the drivers, and which one seals. */
export function defineConfig<Drivers extends Unresolved<VaultDriverFactory>>(
  config: DriversConfig<Drivers>
) {
  return resolveDrivers<VaultDriverFactory, Drivers>(config)
}

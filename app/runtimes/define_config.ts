import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import { resolveDrivers, type Resolved, type Unresolved } from '#drivers/define_config'
import type { DriverFactory, DriversConfig } from '#drivers/driver_manager'
import type { LaunchConfig, RuntimeLaunch } from '#runtimes/launch'
import type { RuntimeDriver } from '#runtimes/contract'

/** What a driver is told about the Mosaic it works for. */
export interface RuntimeDriverContext {
  /** The label of everything that this installation starts. */
  installation: string
  /** Where OpenClaw, its launcher and the driver's own storage are. */
  launch: RuntimeLaunch
}

/** Makes a driver. Called once, when the driver is first used. */
export type RuntimeDriverFactory = DriverFactory<RuntimeDriver, RuntimeDriverContext>

/** What `config/runtime.ts` exports, once resolved. */
export interface RuntimeConfig<
  Drivers extends Record<string, RuntimeDriverFactory> = Record<string, RuntimeDriverFactory>,
> extends DriversConfig<Drivers> {
  /** What every driver needs to start OpenClaw. */
  launch: LaunchConfig
}

/** Declares where agents can run: which drivers there are, and which one is meant unless one is named. */
export function defineConfig<Drivers extends Unresolved<RuntimeDriverFactory>>(
  config: DriversConfig<Drivers> & { launch: LaunchConfig }
): ConfigProvider<RuntimeConfig<Resolved<RuntimeDriverFactory, Drivers>>> {
  const drivers = resolveDrivers<RuntimeDriverFactory, Drivers>(config)
  return configProvider.create(async (app) => ({
    ...(await drivers.resolver(app)),
    launch: config.launch,
  }))
}

import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import { resolveDrivers, type Resolved, type Unresolved } from '#drivers/define_config'
import type { DriverFactory, DriversConfig } from '#drivers/driver_manager'
import type { LaunchConfig, RuntimeLaunch } from '#runtimes/launch'
import type { RuntimeDriver } from '#runtimes/contract'
import type { RuntimeOption, RuntimeOptionValues } from '#runtimes/options'

/** A driver's view of the Mosaic it works for. */
export interface RuntimeDriverContext {
  /** The label of everything that this installation starts. */
  installation: string
  /** Locations of OpenClaw, its launcher and the driver's own storage. */
  launch: RuntimeLaunch
  /**
   * Returns the current values of the driver's options. Call it at each use: an admin may change them at any
   * time.
   */
  options(): Promise<RuntimeOptionValues>
}

/** Creates a driver. Called once, when the driver is first used. */
export type RuntimeDriverFactory = DriverFactory<RuntimeDriver, RuntimeDriverContext>

/** The resolved configuration of Mosaic's runtimes, `config/runtime.ts` in a clone. */
export interface RuntimeConfig<
  Drivers extends Record<string, RuntimeDriverFactory> = Record<string, RuntimeDriverFactory>,
> extends DriversConfig<Drivers> {
  /** Settings that every driver needs to start OpenClaw. */
  launch: LaunchConfig
  /** Options of drivers that the pages show as a form, by the driver's name. */
  options?: Record<string, readonly RuntimeOption[]>
}

/** Declares the runtime drivers, and the default one. */
export function defineConfig<Drivers extends Unresolved<RuntimeDriverFactory>>(
  config: DriversConfig<Drivers> & Pick<RuntimeConfig, 'launch' | 'options'>
): ConfigProvider<RuntimeConfig<Resolved<RuntimeDriverFactory, Drivers>>> {
  const drivers = resolveDrivers<RuntimeDriverFactory, Drivers>(config)
  return configProvider.create(async (app) => ({
    ...(await drivers.resolver(app)),
    launch: config.launch,
    options: config.options,
  }))
}

import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import type { DriversConfig } from '#drivers/driver_manager'

export type Unresolved<Factory> = Record<string, ConfigProvider<Factory> | Factory>

export type Resolved<Factory, Drivers extends Unresolved<Factory>> = {
  [Name in keyof Drivers]: Factory
}

/**
 * The names of the drivers of a configuration file, for the interface by which `use` knows them:
 *
 *   interface RuntimeDrivers extends InferDrivers<typeof runtimeConfig> {}
 */
export type InferDrivers<Config extends ConfigProvider<{ drivers: object }>> = {
  [Name in keyof Awaited<ReturnType<Config['resolver']>>['drivers'] & string]: true
}

/** Resolves the factories of a configuration file, by name, once the application is there. */
export function resolveDrivers<
  Factory extends (...args: never[]) => unknown,
  Drivers extends Unresolved<Factory>,
>(config: DriversConfig<Drivers>): ConfigProvider<DriversConfig<Resolved<Factory, Drivers>>> {
  return configProvider.create(async (app) => {
    const drivers: Record<string, Factory> = {}
    for (const [name, driver] of Object.entries(config.drivers)) {
      drivers[name] = typeof driver === 'function' ? driver : await driver.resolver(app)
    }
    return { default: config.default, drivers: drivers as Resolved<Factory, Drivers> }
  })
}

import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import { resolveDrivers, type Unresolved } from '#drivers/define_config'
import type { DriverFactory, DriversConfig } from '#drivers/driver_manager'
import type { RuntimeDriver } from '#runtimes/contract'
import type { DockerDriverConfig } from '#runtimes/drivers/docker/driver'
import type { ProcessDriverConfig } from '#runtimes/drivers/process/driver'

/** What a driver is told about the Mosaic it works for. */
export interface RuntimeDriverContext {
  /** The label of everything that this installation starts. */
  installation: string
}

/** Makes a driver. Called once, when the driver is first used. */
export type RuntimeDriverFactory = DriverFactory<RuntimeDriver, RuntimeDriverContext>

/** Declares where agents can run: which drivers there are, and which one is meant unless one is named. */
export function defineConfig<Drivers extends Unresolved<RuntimeDriverFactory>>(
  config: DriversConfig<Drivers>
) {
  return resolveDrivers<RuntimeDriverFactory, Drivers>(config)
}

/** The drivers that Mosaic brings, each imported when it is first used. */
export const drivers = {
  /** One OpenClaw per agent as a child process of this machine. */
  process(config: ProcessDriverConfig): ConfigProvider<RuntimeDriverFactory> {
    return configProvider.create(async () => async ({ installation }) => {
      const { ProcessDriver } = await import('#runtimes/drivers/process/driver')
      return new ProcessDriver(config, installation)
    })
  },

  /** One OpenClaw per agent in a container of a Docker engine, or of Podman by its Docker interface. */
  docker(config: DockerDriverConfig): ConfigProvider<RuntimeDriverFactory> {
    return configProvider.create(async () => async ({ installation }) => {
      const { DockerDriver } = await import('#runtimes/drivers/docker/driver')
      return new DockerDriver(config, installation)
    })
  },
}

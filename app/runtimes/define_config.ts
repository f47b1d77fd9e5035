import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import type { RuntimeDriver } from '#runtimes/contract'
import type { DockerDriverConfig } from '#runtimes/drivers/docker/driver'
import type { MemoryDriverConfig } from '#runtimes/drivers/memory/driver'
import type { ProcessDriverConfig } from '#runtimes/drivers/process/driver'

/** What a driver is told about the Mosaic it works for. */
export interface RuntimeDriverContext {
  /** The label of everything that this installation starts. */
  installation: string
}

/** Makes a driver. Called once, when the driver is first used. */
export type RuntimeDriverFactory = (
  context: RuntimeDriverContext
) => RuntimeDriver | Promise<RuntimeDriver>

export interface RuntimeConfig<Drivers extends Record<string, RuntimeDriverFactory>> {
  default: keyof Drivers & string
  drivers: Drivers
}

type Unresolved = Record<string, ConfigProvider<RuntimeDriverFactory> | RuntimeDriverFactory>

type Resolved<Drivers extends Unresolved> = {
  [Name in keyof Drivers]: Drivers[Name] extends ConfigProvider<infer Factory>
    ? Factory
    : Drivers[Name]
}

/** Declares where agents can run: which drivers there are, and which one is meant unless one is named. */
export function defineConfig<Drivers extends Unresolved>(config: {
  default: keyof Drivers & string
  drivers: Drivers
}) {
  return configProvider.create(async (app) => {
    const drivers: Record<string, RuntimeDriverFactory> = {}
    for (const [name, driver] of Object.entries(config.drivers)) {
      drivers[name] = typeof driver === 'function' ? driver : await driver.resolver(app)
    }
    return { default: config.default, drivers } as unknown as RuntimeConfig<
      Resolved<Drivers> & Record<string, RuntimeDriverFactory>
    >
  })
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

  /** Gateway doubles inside this process, for tests. */
  memory(config: MemoryDriverConfig = {}): ConfigProvider<RuntimeDriverFactory> {
    return configProvider.create(async () => async ({ installation }) => {
      const { MemoryDriver } = await import('#runtimes/drivers/memory/driver')
      return new MemoryDriver(config, installation)
    })
  },
}

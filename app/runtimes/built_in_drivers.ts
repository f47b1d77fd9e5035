import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import type { RuntimeDriverFactory } from '#runtimes/define_config'
import type { DockerDriverConfig } from '#runtimes/drivers/docker/driver'
import type { ProcessDriverConfig } from '#runtimes/drivers/process/driver'
import type { SwarmDriverConfig, SwarmSettings } from '#runtimes/drivers/swarm/options'

/** Mosaic's own drivers, each imported when it is first used. */
export const drivers = {
  /** One OpenClaw per agent, as a child process on this machine. */
  process(config: ProcessDriverConfig): ConfigProvider<RuntimeDriverFactory> {
    return configProvider.create(async () => async ({ installation }) => {
      const { ProcessDriver } = await import('#runtimes/drivers/process/driver')
      return new ProcessDriver(config, installation)
    })
  },

  /** One OpenClaw per agent, in a container of a Docker engine, or of Podman through its Docker API. */
  docker(config: DockerDriverConfig): ConfigProvider<RuntimeDriverFactory> {
    return configProvider.create(async () => async ({ installation }) => {
      const { DockerDriver } = await import('#runtimes/drivers/docker/driver')
      return new DockerDriver(config, installation)
    })
  },

  /** One OpenClaw per agent, as a service on the nodes of a Docker swarm. */
  swarm(
    config: Omit<SwarmDriverConfig, 'settings'> & {
      /** The settings that are not options of the driver's own. */
      settings: () => Promise<Omit<SwarmSettings, 'constraints' | 'reserve'>>
    }
  ): ConfigProvider<RuntimeDriverFactory> {
    return configProvider.create(async () => async ({ installation, options }) => {
      const { SwarmDriver } = await import('#runtimes/drivers/swarm/driver')
      const settings = async () =>
        ({ ...(await options()), ...(await config.settings()) }) as SwarmSettings
      return new SwarmDriver({ ...config, settings }, installation)
    })
  },
}

import type { ApplicationService } from '@adonisjs/core/types'
import type shutdownConfig from '#config/shutdown'
import type { Shutdown } from '#installation/shutdown'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    shutdown: Shutdown
  }
}

/**
 * Registers the course of a shutdown. It is the last provider: their hooks run in reverse, so that the notice
 * comes before anything ends.
 */
export default class ShutdownProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('shutdown', async () => {
      const { Shutdown } = await import('#installation/shutdown')
      const { systemClock } = await import('#timing/clock')
      return new Shutdown(systemClock, this.app.config.get<typeof shutdownConfig>('shutdown'))
    })
  }

  async ready() {
    if (this.app.getEnvironment() !== 'web') return
    const shutdown = await this.app.container.make('shutdown')
    this.app.terminating(() => shutdown.begin())
  }
}

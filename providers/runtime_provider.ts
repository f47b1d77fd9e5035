import { configProvider } from '@adonisjs/core'
import { createId } from '#models/row_id'
import { RuntimeException } from '@adonisjs/core/exceptions'
import type { ApplicationService } from '@adonisjs/core/types'
import type { RuntimeManager } from '#runtimes/manager'
import { dialGatewaysWith } from '#runtimes/gateway_connections'

/** Registers the drivers of `config/runtime.ts` as the singleton `runtime.manager`. */
export default class RuntimeProvider {
  #manager: RuntimeManager | null = null

  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('runtime.manager', async () => {
      const { RuntimeManager } = await import('#runtimes/manager')
      const config = await configProvider.resolve<ConstructorParameters<typeof RuntimeManager>[0]>(
        this.app,
        this.app.config.get('runtime')
      )
      if (!config) {
        throw new RuntimeException(
          'Invalid "config/runtime.ts": export what defineConfig() returns'
        )
      }
      const { storedOptions } = await import('#settings/runtime_options')
      this.#manager = new RuntimeManager(
        config,
        () => this.#installation(),
        async (name) => storedOptions(await this.app.container.make('settings'), name)
      )
      return this.#manager
    })
  }

  boot() {
    dialGatewaysWith(async (endpoint, signal) => {
      const manager = await this.app.container.make('runtime.manager')
      return manager.dial(endpoint, signal)
    })
  }

  async shutdown() {
    await this.#manager?.close()
  }

  /** Created on first use. Of several replicas that boot at once, all get the same id. */
  async #installation(): Promise<string> {
    const settings = await this.app.container.make('settings')
    const known = await settings.get('installation.id')
    if (known) return known

    await settings.claim('installation.id', createId())
    return (await settings.get('installation.id'))!
  }
}

import { configProvider } from '@adonisjs/core'
import { RuntimeException } from '@adonisjs/core/exceptions'
import type { ApplicationService } from '@adonisjs/core/types'
import type { Fetch } from '#llm/contract'
import type { LlmConfig } from '#llm/define_config'
import type { LlmRegistry } from '#llm/registry'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'llm.registry': LlmRegistry
    /** The guarded fetch, for every address that a person typed. */
    'llm.fetch': Fetch
  }
}

/** Registers the kinds of LLM services that `config/llm.ts` describes, and the way out to them. */
export default class LlmProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('llm.registry', async () => {
      const { LlmRegistry } = await import('#llm/registry')
      const config = await configProvider.resolve<LlmConfig>(this.app, this.app.config.get('llm'))
      if (!config) {
        throw new RuntimeException('Invalid "config/llm.ts": export what defineConfig() returns')
      }
      return new LlmRegistry(config)
    })

    this.app.container.singleton('llm.fetch', async (resolver) => {
      const { createAllowedFetch } = await import('#settings/allowed_fetch')
      return createAllowedFetch(await resolver.make('settings'))
    })
  }
}

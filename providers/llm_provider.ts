import { configProvider } from '@adonisjs/core'
import { RuntimeException } from '@adonisjs/core/exceptions'
import type { ApplicationService } from '@adonisjs/core/types'
import type { Fetch } from '#llm/contract'
import type { LlmConfig } from '#llm/define_config'
import type { AgentPreferences } from '#user_settings/agent_preferences'
import type { SettingsChanged } from '#user_settings/agent_settings_changed'
import type { ProviderDirectory } from '#user_settings/provider_directory'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    /** The guarded fetch, for every address that a person entered. */
    'llm.fetch': Fetch
    'settings.providers': ProviderDirectory
    'settings.agent_preferences': AgentPreferences
  }
}

/** Registers the LLM services of `config/llm.ts`, outbound access to them, and users' choices among them. */
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

    this.app.container.singleton('settings.providers', async (resolver) => {
      const { ProviderDirectory } = await import('#user_settings/provider_directory')
      const { ProviderQuota } = await import('#user_settings/provider_quota')
      return new ProviderDirectory(
        await resolver.make('llm.registry'),
        await resolver.make('llm.fetch'),
        await resolver.make('audit'),
        await this.#tellOfChanges(),
        new ProviderQuota(await resolver.make('settings'))
      )
    })

    this.app.container.singleton('settings.agent_preferences', async (resolver) => {
      const { AgentPreferences } = await import('#user_settings/agent_preferences')
      return new AgentPreferences(
        await resolver.make('settings'),
        await resolver.make('audit'),
        await this.#tellOfChanges(),
        await resolver.make('llm_relay.embeddings')
      )
    })
  }

  /** Listeners' failures do not undo a stored change, and saving does not wait for agents. */
  async #tellOfChanges(): Promise<SettingsChanged> {
    const emitter = await this.app.container.make('emitter')
    const logger = await this.app.container.make('logger')
    return (change) => {
      emitter
        .emit('agent:settings_changed', change)
        .catch((err: unknown) => logger.error({ err, ...change }, 'a change was not followed up'))
    }
  }
}

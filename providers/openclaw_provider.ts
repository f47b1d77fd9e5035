import type { ApplicationService } from '@adonisjs/core/types'
import type { TokenUsage } from '#llm/token_usage'
import type { LlmRelay } from '#llm_relay/relay'
import type { ProviderEmbeddings } from '#llm_relay/embeddings'
import type { ProviderFailures } from '#llm_relay/provider_failures'
import type { RelayDispatcher } from '#llm_relay/relay_dispatcher'
import type { RelayTargets } from '#llm_relay/relay_targets'
import { ownerOf, type AgentName } from '#openclaw/agent_name'
import type { AgentDocuments } from '#openclaw/documents'
import type { AgentTokens } from '#openclaw/agent_tokens'
import type { GatewayClient } from '#openclaw/gateway_client'
import type { GatewayControl } from '#openclaw/gateway_control'
import type { LiveSettings } from '#openclaw/live_settings'
import type { ServedDocuments } from '#openclaw/served_documents'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'openclaw.documents': AgentDocuments
    'openclaw.served_documents': ServedDocuments
    'openclaw.tokens': AgentTokens
    'openclaw.gateway': GatewayClient
    'openclaw.control': GatewayControl
    'openclaw.live_settings': LiveSettings
    'llm_relay': LlmRelay
    'llm_relay.targets': RelayTargets
    'llm_relay.failures': ProviderFailures
    'llm_relay.dispatcher': RelayDispatcher
    'llm_relay.embeddings': ProviderEmbeddings
  }
}

/** Registers the OpenClaw integration, and the relay between agents and their providers. */
export default class OpenclawProvider {
  #dispatcher: RelayDispatcher | null = null
  #kept: { clear(): void }[] = []

  constructor(protected app: ApplicationService) {}

  register() {
    this.#registerOpenClaw()
    this.#registerRelay()
  }

  /** Clears short-lived caches at once when this process changes their source. */
  async boot() {
    const { default: LlmProvider } = await import('#models/llm_provider')
    const { default: SystemContainer } = await import('#models/system_container')
    const { default: User } = await import('#models/user')
    const { default: UserAgentConfig } = await import('#models/user_agent_config')

    const forget = () => this.#kept.forEach((kept) => kept.clear())
    for (const model of [LlmProvider, SystemContainer, User, UserAgentConfig]) {
      model.boot()
      model.after('save', forget)
      model.after('delete', forget)
    }
  }

  async shutdown() {
    await this.#dispatcher?.destroy()
  }

  #registerOpenClaw() {
    const { container } = this.app
    container.singleton('openclaw.documents', async (resolver) => {
      const { AgentDocuments } = await import('#openclaw/documents')
      const { keptTimersModule } = await import('#openclaw/kept_timers')
      const settings = await resolver.make('settings')
      const preload = async () =>
        (await settings.get('agents.keepWorkers')) ? keptTimersModule : ''
      /** OpenClaw expands the variable, because each runtime reaches Mosaic at a different address. */
      return new AgentDocuments(await resolver.make('llm.registry'), '${MOSAIC_API_URL}', preload)
    })
    container.singleton('openclaw.served_documents', async (resolver) => {
      const { ServedDocuments } = await import('#openclaw/served_documents')
      return this.#keep(new ServedDocuments(await resolver.make('openclaw.documents')))
    })
    container.singleton('openclaw.tokens', async () => {
      const { AgentTokens } = await import('#openclaw/agent_tokens')
      return this.#keep(new AgentTokens())
    })
    container.singleton('openclaw.gateway', async () => {
      const { GatewayClient } = await import('#openclaw/gateway_client')
      return new GatewayClient()
    })
    container.singleton('openclaw.control', async () => {
      const { GatewayControl } = await import('#openclaw/gateway_control')
      return new GatewayControl()
    })
    container.singleton('openclaw.live_settings', async (resolver) => {
      const { LiveSettings } = await import('#openclaw/live_settings')
      const documents = await resolver.make('openclaw.documents')
      return new LiveSettings(documents, await resolver.make('openclaw.control'))
    })
  }

  #registerRelay() {
    const { container } = this.app
    container.singleton('llm_relay.failures', async (resolver) => {
      const { ProviderFailures } = await import('#llm_relay/provider_failures')
      const { SharedFailures } = await import('#llm_relay/shared_failures')
      const { replicas } = await resolver.make('agents.context')
      const shared = new SharedFailures(replicas, await resolver.make('logger'))
      return new ProviderFailures(undefined, shared)
    })
    container.singleton('llm_relay.targets', async (resolver) => {
      const { RelayTargets } = await import('#llm_relay/relay_targets')
      const tokens = await resolver.make('openclaw.tokens')
      return this.#keep(new RelayTargets(tokens, await resolver.make('llm.registry')))
    })
    container.singleton('llm_relay.dispatcher', async (resolver) => {
      const { RelayDispatcher } = await import('#llm_relay/relay_dispatcher')
      const settings = await resolver.make('settings')
      this.#dispatcher = new RelayDispatcher(() => settings.get('network.allowedRanges'))
      return this.#dispatcher
    })
    container.singleton('llm_relay.embeddings', async (resolver) => {
      const { ProviderEmbeddings } = await import('#llm_relay/embeddings')
      const targets = await resolver.make('llm_relay.targets')
      return new ProviderEmbeddings(targets, await resolver.make('llm.fetch'), await this.#spent())
    })
    container.singleton('llm_relay', async (resolver) => {
      const { LlmRelay } = await import('#llm_relay/relay')
      const dispatcher = await resolver.make('llm_relay.dispatcher')
      return new LlmRelay(
        await resolver.make('llm_relay.targets'),
        await resolver.make('llm_relay.failures'),
        () => dispatcher.get(),
        await resolver.make('logger'),
        await this.#spent(),
        await resolver.make('llm_relay.embeddings')
      )
    })
  }

  /** Counts what users' agents spend; system agents have no user to count for. */
  async #spent() {
    const meter = await this.app.container.make('usage.meter')
    return (agent: AgentName, usage: TokenUsage) => {
      const userId = ownerOf(agent)
      if (userId) meter.tokens(userId, usage)
    }
  }

  #keep<Kept extends { clear(): void }>(kept: Kept): Kept {
    this.#kept.push(kept)
    return kept
  }
}

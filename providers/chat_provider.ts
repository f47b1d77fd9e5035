import type { ApplicationService } from '@adonisjs/core/types'
import type { AgentActivity } from '#agents/state/activity'
import type { Scheduler } from '#agents/background/scheduler'
import type { Prewarmer } from '#agents/prewarmer'
import type { DirectModels } from '#chat/direct_models'
import type { ActivityCounter, ChatRelay } from '#chat/relay'
import type { RelayMetrics } from '#chat/relay_metrics'
import type { ArchiveKeeper } from '#knowledge/archive/archive_keeper'
import { ownerOf } from '#openclaw/agent_name'
import type { UsageMeter } from '#usage/usage_meter'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'chat.relay': ChatRelay
    'chat.metrics': RelayMetrics
    'knowledge.archive_keeper': ArchiveKeeper
  }
}

/** Registers the chat relay, its two surfaces, and the reader of conversations. */
export default class ChatProvider {
  #relay: ChatRelay | null = null
  #direct: DirectModels | null = null
  #keeper: ArchiveKeeper | null = null
  #cleanup: Scheduler | null = null

  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('chat.metrics', async () => {
      const { RelayMetrics } = await import('#chat/relay_metrics')
      return new RelayMetrics()
    })
    this.app.container.singleton('chat.relay', async (resolver) => {
      const { ChatRelay } = await import('#chat/relay')
      this.#relay = new ChatRelay(
        await resolver.make('agents.lifecycle'),
        counted(
          await resolver.make('agents.activity'),
          await resolver.make('agents.prewarmer'),
          await resolver.make('usage.meter'),
          await resolver.make('knowledge.archive_keeper')
        ),
        {},
        await resolver.make('chat.metrics')
      )
      return this.#relay
    })
  }

  /** Binds the surfaces by class, so that controllers can inject them. */
  async boot() {
    const { container } = this.app
    const { ModelCatalogue } = await import('#chat/model_catalogue')
    const { ModelListVersions } = await import('#chat/model_list_versions')
    const { API_TIMING, OpenAiChat } = await import('#chat/openai_chat')
    const { MessagesApi } = await import('#chat/messages_api')
    const { DirectModels } = await import('#chat/direct_models')
    const { webImages } = await import('#chat/web_image')
    const { createAllowedFetch } = await import('#settings/allowed_fetch')
    const { PageChat } = await import('#chat/page_chat')
    const { KeptLists } = await import('#chat/kept_lists')
    const { LiveRuns } = await import('#chat/live_runs')
    const { Approvals } = await import('#chat/approvals')
    const { Pictures } = await import('#chat/pictures')
    const { Uploads } = await import('#chat/uploads')
    const { MessageFiles } = await import('#chat/message_files')
    const { Conversations } = await import('#chat/conversations')
    const { callGateway } = await import('#openclaw/gateway_socket')
    const { watchRuns } = await import('#openclaw/run_watch')
    const { RunSocket } = await import('#openclaw/run_socket')
    const { GatewayRuns } = await import('#chat/gateway_runs')
    const { STREAM_TIMING } = await import('#http/stream_timing')
    const { patchSession } = await import('#openclaw/session_patch')
    const { reportTo } = await import('#chat/report')
    const report = async () => reportTo(await container.make('logger'))

    const { archiveSource } = await import('#chat/archive_source')

    container.singleton('knowledge.archive_keeper', async (resolver) => {
      const { ArchiveKeeper } = await import('#knowledge/archive/archive_keeper')
      const { systemClock } = await import('#timing/clock')
      const client = await resolver.make('openclaw.gateway')
      const lifecycle = await resolver.make('agents.lifecycle')
      this.#keeper = new ArchiveKeeper({
        ingestion: await resolver.make('knowledge.archive_ingestion'),
        gatewayOf: (agent) => lifecycle.peek(agent),
        sourceAt: (gateway) => archiveSource(client, gateway),
        logger: await resolver.make('logger'),
        clock: systemClock,
      })
      return this.#keeper
    })
    container.singleton(ModelCatalogue, async (resolver) => {
      const documents = await resolver.make('openclaw.documents')
      const models = new ModelCatalogue(documents, new ModelListVersions())
      const emitter = await resolver.make('emitter')
      emitter.on('agent:settings_changed', ({ userId }) => models.forget(`user/${userId}`))
      return models
    })
    container.singleton(DirectModels, async (resolver) => {
      this.#direct = new DirectModels(
        await resolver.make('llm_relay.targets'),
        await resolver.make('llm_relay'),
        await report(),
        API_TIMING
      )
      return this.#direct
    })
    container.singleton(OpenAiChat, async (resolver) => {
      const settings = await resolver.make('settings')
      return new OpenAiChat({
        relay: await resolver.make('chat.relay'),
        models: await resolver.make(ModelCatalogue),
        direct: await resolver.make(DirectModels),
        failures: await resolver.make('llm_relay.failures'),
        report: await report(),
        bodies: await resolver.make('identity.limits'),
        settings: { anyModelName: () => settings.get('api.anyModelName') },
        fetchImage: webImages(createAllowedFetch(settings)),
      })
    })
    container.singleton(MessagesApi, async (resolver) => {
      return new MessagesApi({
        models: await resolver.make(ModelCatalogue),
        direct: await resolver.make(DirectModels),
        bodies: await resolver.make('identity.limits'),
      })
    })
    container.singleton(PageChat, async (resolver) => {
      const lifecycle = await resolver.make('agents.lifecycle')
      const gatewayRuns = new GatewayRuns({
        running: (agent) => lifecycle.running(agent),
        open: RunSocket.open,
      })
      return new PageChat(
        await resolver.make('chat.relay'),
        await resolver.make('llm_relay.failures'),
        await report(),
        STREAM_TIMING,
        { runs: new LiveRuns(), watch: watchRuns, gatewayRuns }
      )
    })
    container.singleton(Uploads, () => new Uploads())
    container.singleton(MessageFiles, async (resolver) => {
      return new MessageFiles(await resolver.make(Uploads), await resolver.make('identity.limits'))
    })
    container.singleton(Pictures, async (resolver) => {
      return new Pictures(await resolver.make('agents.lifecycle'), callGateway)
    })
    container.singleton(Approvals, async (resolver) => {
      return new Approvals(await resolver.make('agents.lifecycle'), callGateway)
    })
    container.singleton(Conversations, async (resolver) => {
      return new Conversations(
        await resolver.make('agents.lifecycle'),
        await resolver.make('agents.activity'),
        await resolver.make('openclaw.gateway'),
        patchSession,
        { lists: new KeptLists(), models: await resolver.make(ModelCatalogue) }
      )
    })
  }

  async ready() {
    if (this.app.getEnvironment() === 'web') await this.#cleanUp()
    /** Runs before the listener closes, which waits for every open response. */
    this.app.terminating(async () => {
      const { remainingMs } = await this.app.container.make('shutdown')
      await Promise.all([this.#relay?.drain(remainingMs), this.#direct?.drain(remainingMs)])
    })
  }

  /** In the web process alone, as all that runs by itself. */
  async #cleanUp() {
    const { container } = this.app
    const { systemClock } = await import('#timing/clock')
    const { Uploads } = await import('#chat/uploads')
    const { uploadCleanup } = await import('#chat/upload_cleanup')
    const context = { clock: systemClock, logger: await container.make('logger') }
    this.#cleanup = uploadCleanup(context, await container.make(Uploads))
    this.#cleanup.start()
  }

  /** Ends what runs by itself, and closes all connections to gateways. */
  async shutdown() {
    await this.#cleanup?.stop()
    await this.#keeper?.close()
    await this.#relay?.destroy()
  }
}

/** Counts a chat as use, and marks the agent as warm for the next one. */
function counted(
  activity: AgentActivity,
  primer: Prewarmer,
  meter: UsageMeter,
  keeper: ArchiveKeeper
): ActivityCounter {
  return {
    begin(agent, { joins = false } = {}) {
      const userId = ownerOf(agent)
      if (userId && !joins) meter.chat(userId)
      const endActivity = activity.begin(agent)
      const endChat = primer.chatBegins(agent)
      return () => {
        endChat()
        endActivity()
        keeper.chatEnded(agent)
      }
    },
  }
}

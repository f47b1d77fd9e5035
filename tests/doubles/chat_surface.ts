import app from '@adonisjs/core/services/app'
import type { AgentKey, GatewayAccess, WakeProgress } from '#agents/types'
import { ChatRelay, type RelayOptions, type Waker } from '#chat/relay'
import type { FetchImage } from '#chat/agent_content'
import { Approvals, type CallGateway } from '#chat/approvals'
import { DirectModels } from '#chat/direct_models'
import { GatewayRuns } from '#chat/gateway_runs'
import { Conversations } from '#chat/conversations'
import { KeptLists } from '#chat/kept_lists'
import { MessagesApi } from '#chat/messages_api'
import { ModelCatalogue } from '#chat/model_catalogue'
import { OpenAiChat } from '#chat/openai_chat'
import { PageChat } from '#chat/page_chat'
import { Pictures } from '#chat/pictures'
import type { StreamTiming } from '#http/stream_timing'
import { ProviderFailures } from '#llm_relay/provider_failures'
import type { GatewayClient } from '#openclaw/gateway_client'
import type { OpenRuns } from '#openclaw/run_socket'
import type { WatchRuns } from '#openclaw/run_watch'
import type { PatchSession } from '#openclaw/session_patch'
import { UserFactory } from '#database/factories/user_factory'

type WakeOptions = { signal?: AbortSignal; onProgress?: (progress: WakeProgress) => void }

/** A lifecycle without instances: the test sets what is cached and what a wake returns. */
export class ScriptedWaker implements Waker {
  readonly woken: AgentKey[] = []
  readonly invalidated: AgentKey[] = []
  remembered: GatewayAccess | null = null
  /** Started by another replica. */
  elsewhere: GatewayAccess | null = null
  wake: (agent: AgentKey, options: WakeOptions) => Promise<GatewayAccess> = async () => {
    throw new Error('The test did not say what a wake gives')
  }

  neverRan = false

  /** New settings being applied to every agent, or none. */
  settling: Promise<void> | null = null

  peek(): GatewayAccess | null {
    return this.remembered
  }

  async running(): Promise<GatewayAccess | null> {
    return this.remembered ?? this.elsewhere
  }

  async isNew(): Promise<boolean> {
    return this.neverRan
  }

  rollout(): Promise<void> | null {
    return this.settling
  }

  async ensureRunning(agent: AgentKey, options: WakeOptions = {}): Promise<GatewayAccess> {
    this.woken.push(agent)
    return this.wake(agent, options)
  }

  invalidate(agent: AgentKey): void {
    this.invalidated.push(agent)
    this.remembered = null
  }
}

/** Counts requests in flight. */
export class CountedActivity {
  inFlight = 0
  begun = 0

  begin(): () => void {
    this.inFlight++
    this.begun++
    return () => {
      this.inFlight--
    }
  }
}

export interface SurfaceOptions {
  timing?: StreamTiming
  relay?: Partial<RelayOptions>
  /** The models of every caller, as `<provider>/<id>`. */
  models?: Record<string, string[]>
  /** Whether the agent answers to any name without a slash. */
  anyModelName?: boolean
  fetchImage?: FetchImage
  /** Left out: some that only the test records. */
  failures?: ProviderFailures
  gateway?: Pick<GatewayClient, 'sessions' | 'history' | 'deleteSession'>
  patch?: PatchSession
  /** What a gateway tells of runs. */
  watch?: WatchRuns
  /** Sockets of the agents that run. Left out: gateways have none. */
  openRuns?: OpenRuns
  /** What a gateway answers to other calls. */
  call?: CallGateway
}

const noImage: FetchImage = async () => {
  throw new Error('The test did not say what an image is')
}

/** Runs both chat APIs on a scripted lifecycle until `restore`. */
export function scriptedSurface(options: SurfaceOptions = {}) {
  const waker = new ScriptedWaker()
  const activity = new CountedActivity()
  const failures = options.failures ?? new ProviderFailures()
  const reported: unknown[] = []
  const report = (error: unknown) => void reported.push(error)
  const relay = new ChatRelay(waker, activity, options.relay)
  const providers = Object.fromEntries(
    Object.entries(options.models ?? {}).map(([name, ids]) => [
      name,
      { models: ids.map((id) => ({ id })) },
    ])
  )
  const models = new ModelCatalogue(
    { forAgent: async () => ({ document: { models: { providers } } }) },
    { of: async () => null }
  )
  const { container } = app
  container.swap(ModelCatalogue, () => models)
  container.swap(OpenAiChat, async () => {
    const bodies = await container.make('identity.limits')
    const direct = await container.make(DirectModels)
    const { timing, anyModelName = false, fetchImage = noImage } = options
    const settings = { anyModelName: async () => anyModelName }
    return new OpenAiChat({
      ...{ relay, models, direct, failures, report, bodies, settings, fetchImage, timing },
    })
  })
  container.swap(MessagesApi, async () => {
    const bodies = await container.make('identity.limits')
    return new MessagesApi({ models, direct: await container.make(DirectModels), bodies })
  })
  const { watch, openRuns } = options
  const running = () => waker.running()
  const gatewayRuns = openRuns && new GatewayRuns({ running, open: openRuns })
  const page = new PageChat(relay, failures, report, options.timing, { watch, gatewayRuns })
  container.swap(PageChat, () => page)
  const { call } = options
  if (call) {
    container.swap(Approvals, () => new Approvals(waker, call))
    container.swap(Pictures, () => new Pictures(waker, call))
  }
  if (options.gateway) {
    const { gateway, patch = async () => {} } = options
    container.swap(
      Conversations,
      () => new Conversations(waker, activity, gateway, patch, { lists: new KeptLists(), models })
    )
  }

  const restore = async () => {
    const surfaces = [
      ModelCatalogue,
      OpenAiChat,
      MessagesApi,
      PageChat,
      Conversations,
      Approvals,
      Pictures,
    ]
    for (const surface of surfaces) container.restore(surface)
    await relay.destroy()
  }
  return { waker, activity, failures, reported, relay, restore }
}

/** Creates a user with an access token. */
export async function userWithToken() {
  const user = await UserFactory.create()
  const tokens = await app.container.make('identity.tokens')
  const token = await tokens.create(user, { name: 'test' })
  return { user, token: token.value!.release() }
}

/** Calls the API of the test's own Mosaic as the user of an access token. */
export function callAs(
  { token }: { token: string },
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal
): Promise<Response> {
  return fetch(`${baseUrl()}/api/v1${path}`, {
    method,
    signal,
    headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
}

/** The URL of the test's own Mosaic. */
export function baseUrl(): string {
  return `http://${process.env.HOST}:${process.env.PORT}`
}

import { callsOf } from '#llm/api_calls'
import { withoutEndingSlashes } from '#llm/base_url'
import type { ApiCall, ApiType, LlmAdapter } from '#llm/contract'
import LlmProvider from '#models/llm_provider'
import type { AgentIdentity, AgentTokens } from '#openclaw/agent_tokens'
import type { AgentName } from '#openclaw/agent_name'
import { PRIMER } from '#openclaw/primer_model'
import { ShortCache } from '#openclaw/short_cache'

/** How long a change that another replica of Mosaic made may go unseen: milliseconds. */
const TTL_MS = 2000

/** Where an agent's call goes, and with which key. Lives for seconds, in memory only. */
export interface RelayTarget {
  agent: AgentName
  provider: { id: string; name: string; isActive: boolean }
  adapter: LlmAdapter
  apiType: ApiType
  /** All that the agent may ask of it. */
  calls: ApiCall[]
  /** Without a slash at the end. Null for an adapter that answers by itself. */
  baseUrl: string | null
  apiKey: string | null
  /** Mosaic's own call in the agent's name: what becomes of it is nothing for its owner. */
  isHidden?: boolean
  /** The owner's own call, past the agent: what becomes of it is nothing for the agent's chats. */
  isDirect?: boolean
}

/** Finds the provider that an agent may use, and opens its key: nothing else opens one for use. */
export class RelayTargets {
  readonly #targets = new ShortCache<RelayTarget>({ ttlMs: TTL_MS })

  constructor(
    protected tokens: AgentTokens,
    protected adapters: { get(type: string): LlmAdapter }
  ) {}

  /**
   * Null if the token is unknown, or the provider is not one of its agent's.
   *
   * @throws E_VAULT_UNKNOWN_KEY, E_VAULT_TAMPERED when the key does not open
   * @throws E_UNKNOWN_PROVIDER_TYPE when its adapter is not installed
   */
  async find(token: string | null, providerId: string): Promise<RelayTarget | null> {
    /** Asked each time: what is kept here outlives a token. */
    const identity = await this.tokens.identify(token)
    if (!identity) return null
    const key = `${identity.agent}/${providerId}`
    return this.#targets.get(key, () => this.#lookUp(identity, providerId))
  }

  /**
   * The provider of this name of a user, for a call that the user makes past the agent. Null if there is none.
   *
   * @throws as `find`
   */
  ofOwner(userId: string, name: string): Promise<RelayTarget | null> {
    return this.#targets.get(`owner/${userId}/${name}`, async () => {
      const row = await LlmProvider.ownedBy(userId).where('name', name).first()
      return row && { ...(await this.#target(`user/${userId}`, row)), isDirect: true }
    })
  }

  /** Forgets what is known, after a change of a provider or its owner. */
  clear(): void {
    this.#targets.clear()
  }

  async #lookUp(identity: AgentIdentity, providerId: string): Promise<RelayTarget | null> {
    if (providerId === PRIMER.providerId) return primer(identity.agent)
    const mayUse = identity.ownerId
      ? LlmProvider.ownedBy(identity.ownerId).where('id', providerId)
      : LlmProvider.query()
          .where('id', providerId)
          .where('id', identity.providerId ?? '')
    const row = await mayUse.first()
    return row && this.#target(identity.agent, row)
  }

  async #target(agent: AgentName, row: LlmProvider): Promise<RelayTarget> {
    const adapter = this.adapters.get(row.type)
    const baseUrl = row.baseUrl ?? adapter.defaults.baseUrl
    return {
      agent,
      provider: { id: row.id, name: row.name, isActive: row.isActive },
      adapter,
      apiType: row.apiType,
      calls: callsOf(adapter, row.apiType),
      baseUrl: baseUrl && withoutEndingSlashes(baseUrl),
      apiKey: await row.open('apiKey'),
    }
  }
}

/** Every agent has it, and it answers in place: there is no address that a call could be led to. */
function primer(agent: AgentName): RelayTarget {
  const { providerId: id, entryId: name, adapter } = PRIMER
  const provider = { id, name, isActive: true }
  const { apiType } = adapter.defaults
  const calls = callsOf(adapter, apiType)
  return { agent, provider, adapter, apiType, calls, baseUrl: null, apiKey: null, isHidden: true }
}

import { callsOf } from '#llm/api_calls'
import { withoutEndingSlashes } from '#llm/base_url'
import type { ApiCall, ApiType, LlmAdapter } from '#llm/contract'
import LlmProvider from '#models/llm_provider'
import type { AgentIdentity, AgentTokens } from '#openclaw/agent_tokens'
import type { AgentName } from '#openclaw/agent_name'
import { PRIMER } from '#openclaw/primer_model'
import { ShortCache } from '#openclaw/short_cache'

/** How long a change made by another replica may go unnoticed, in milliseconds. */
const TTL_MS = 2000

/** Destination and key of an agent's call. Lives for seconds, in memory only. */
export interface RelayTarget {
  agent: AgentName
  provider: { id: string; name: string; isActive: boolean }
  adapter: LlmAdapter
  apiType: ApiType
  /** The calls the agent may make. */
  calls: ApiCall[]
  /** Without a trailing slash. Null for an adapter that answers by itself. */
  baseUrl: string | null
  apiKey: string | null
  /** Set on Mosaic's own calls in the agent's name: their outcome does not concern its owner. */
  isHidden?: boolean
  /** Set on the owner's own calls, which bypass the agent: their outcome does not concern its chats. */
  isDirect?: boolean
  /** Set on a call that consumes no tokens. */
  isFree?: boolean
}

/** Finds the provider an agent may use and unseals its key. Besides connection tests, only this class unseals keys. */
export class RelayTargets {
  readonly #targets = new ShortCache<RelayTarget>({ ttlMs: TTL_MS })

  constructor(
    protected tokens: AgentTokens,
    protected adapters: { get(type: string): LlmAdapter }
  ) {}

  /**
   * Returns null if the token is unknown, or the provider is not one of the agent's.
   *
   * @throws E_VAULT_UNKNOWN_KEY, E_VAULT_TAMPERED if the key cannot be unsealed
   * @throws E_UNKNOWN_PROVIDER_TYPE if its adapter is not installed
   */
  async find(token: string | null, providerId: string): Promise<RelayTarget | null> {
    /** Checked on every call: cached targets may outlive a token. */
    const identity = await this.tokens.identify(token)
    if (!identity) return null
    const key = `${identity.agent}/${providerId}`
    return this.#targets.get(key, () => this.#lookUp(identity, providerId))
  }

  /**
   * Returns a user's provider by name, for a call that bypasses the agent. Null if there is none.
   *
   * @throws as `find`
   */
  ofOwner(userId: string, name: string): Promise<RelayTarget | null> {
    return this.#targets.get(`owner/${userId}/${name}`, async () => {
      const row = await LlmProvider.ownedBy(userId).where('name', name).first()
      return row && { ...(await this.#target(`user/${userId}`, row)), isDirect: true }
    })
  }

  /** Clears the cache, after a change of a provider or its owner. */
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

/**
 * The primer's target, available to every agent. It answers in place, so no call can be diverted to another
 * address.
 */
function primer(agent: AgentName): RelayTarget {
  const { providerId: id, entryId: name, adapter } = PRIMER
  const provider = { id, name, isActive: true }
  const { apiType } = adapter.defaults
  const calls = callsOf(adapter, apiType)
  return { agent, provider, adapter, apiType, calls, baseUrl: null, apiKey: null, isHidden: true }
}

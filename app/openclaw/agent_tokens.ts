import { timingSafeEqual } from 'node:crypto'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import { hashGatewayToken } from '#models/with_lifecycle'
import type { AgentName } from '#openclaw/agent_name'
import { ShortCache } from '#openclaw/short_cache'

/** How long another replica may miss a renewed token or a deactivated owner, in milliseconds. */
export const TOKEN_TTL_MS = 1000

/** The agent a token belongs to. */
export interface AgentIdentity {
  agent: AgentName
  /** The id of the agent's row: `user_containers` or `system_containers`. */
  rowId: string
  /** The user whose providers the agent may use … */
  ownerId: string | null
  /** … or, for a system agent, its only provider. */
  providerId: string | null
}

/** Maps gateway tokens to agents. */
export class AgentTokens {
  readonly #known: ShortCache<AgentIdentity>

  /** `now` in milliseconds, from a monotonic clock. */
  constructor(now?: () => number) {
    this.#known = new ShortCache({ ttlMs: TOKEN_TTL_MS, now })
  }

  /** Returns null for an unknown token, a deactivated user, or a system agent that is switched off. */
  async identify(token: string | null): Promise<AgentIdentity | null> {
    if (!token) return null
    const hash = hashGatewayToken(token)
    return this.#known.get(hash, () => this.#find(hash))
  }

  /**
   * Identifies the agent by its knowledge token; null as for `identify`. System agents have no owner, and no
   * knowledge.
   */
  async identifyKnowledge(token: string | null): Promise<AgentIdentity | null> {
    if (!token) return null
    const hash = hashGatewayToken(token)
    return this.#known.get(`knowledge/${hash}`, () => this.#findUser('knowledge_token_hash', hash))
  }

  clear(): void {
    this.#known.clear()
  }

  async #find(hash: string): Promise<AgentIdentity | null> {
    const user = await this.#findUser('gateway_token_hash', hash)
    if (user) return user
    const system = await SystemContainer.query()
      .where({ gateway_token_hash: hash, is_active: true })
      .first()
    if (system && same(system.gatewayTokenHash, hash)) {
      const { id: rowId, providerId } = system
      return { agent: `system/${rowId}`, rowId, ownerId: null, providerId }
    }
    return null
  }

  async #findUser(
    column: 'gateway_token_hash' | 'knowledge_token_hash',
    hash: string
  ): Promise<AgentIdentity | null> {
    const row = await UserContainer.query()
      .where(column, hash)
      .whereHas('user', (owner) => owner.whereNull('deactivated_at'))
      .first()
    const stored = column === 'gateway_token_hash' ? row?.gatewayTokenHash : row?.knowledgeTokenHash
    if (!row || !same(stored ?? null, hash)) return null
    const { id: rowId, userId: ownerId } = row
    return { agent: `user/${ownerId}`, rowId, ownerId, providerId: null }
  }
}

/** Repeats the database's comparison in constant time. */
function same(stored: string | null, hash: string): boolean {
  return stored?.length === hash.length && timingSafeEqual(Buffer.from(stored), Buffer.from(hash))
}

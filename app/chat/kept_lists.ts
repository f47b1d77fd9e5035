import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import ConversationList from '#models/conversation_list'
import type { AgentKey } from '#agents/types'
import type { Conversation } from '#chat/listed_conversations'
import { ownerOf } from '#openclaw/agent_name'

/** Limit of conversations stored per list: people do not browse further. */
const MOST_KEPT = 1000

/** Number of agents whose stored list is remembered. The list of any further agent is stored again, even unchanged. */
const MOST_REMEMBERED = 10_000

/** The last list an agent returned. */
export interface KeptList {
  conversations: Conversation[]
  asOf: Date
}

/**
 * Sealed copies of each user's last known conversation titles, shown while the agent is asleep. Messages and
 * previews are not stored.
 */
export class KeptLists {
  /** @param written hashes of the lists stored last, to skip unchanged writes */
  constructor(protected written = new LRUCache<AgentKey, string>({ max: MOST_REMEMBERED })) {}

  async keep(agent: AgentKey, conversations: Conversation[]): Promise<void> {
    const userId = ownerOf(agent)
    if (!userId) return
    const kept = conversations.slice(0, MOST_KEPT).map((one) => ({ ...one, preview: null }))
    const list = JSON.stringify(kept)
    const hash = createHash('sha256').update(list).digest('base64')
    if (this.written.get(agent) === hash) return
    const row =
      (await ConversationList.ownedBy(userId).first()) ?? new ConversationList().merge({ userId })
    await row.seal('list', list)
    await row.save()
    this.written.set(agent, hash)
  }

  /** Returns null if nothing is stored or it can no longer be unsealed. */
  async read(agent: AgentKey): Promise<KeptList | null> {
    const userId = ownerOf(agent)
    const row = userId ? await ConversationList.ownedBy(userId).first() : null
    const list = await row?.open('list').catch(() => null)
    if (!row || !list) return null
    const told = JSON.parse(list) as (Conversation & { updatedAt: string })[]
    const conversations = told.map((one) => ({ ...one, updatedAt: new Date(one.updatedAt) }))
    return { conversations, asOf: row.updatedAt.toJSDate() }
  }
}

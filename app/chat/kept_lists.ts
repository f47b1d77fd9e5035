import ConversationList from '#models/conversation_list'
import type { AgentKey } from '#agents/types'
import type { Conversation } from '#chat/conversations'
import { ownerOf } from '#openclaw/agent_name'

/** Conversations of one list that are kept: a person looks through no more of them. */
const MOST_KEPT = 1000

/** A list as an agent told it last. */
export interface KeptList {
  conversations: Conversation[]
  asOf: Date
}

/**
 * The titles of each user's conversations as their agent told them last, sealed: what its owner sees while
 * it sleeps. Of what was said nothing is kept.
 */
export class KeptLists {
  /** What is kept already needs no writing. */
  readonly #written = new Map<AgentKey, string>()

  async keep(agent: AgentKey, conversations: Conversation[]): Promise<void> {
    const userId = ownerOf(agent)
    if (!userId) return
    const kept = conversations.slice(0, MOST_KEPT).map((one) => ({ ...one, preview: null }))
    const list = JSON.stringify(kept)
    if (this.#written.get(agent) === list) return
    const row =
      (await ConversationList.ownedBy(userId).first()) ?? new ConversationList().merge({ userId })
    await row.seal('list', list)
    await row.save()
    this.#written.set(agent, list)
  }

  /** Null where nothing is kept, or it does not open any more. */
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

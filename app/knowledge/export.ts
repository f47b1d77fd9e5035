import ArchiveConversation from '#models/archive_conversation'
import ArchiveMessage from '#models/archive_message'
import { FIRST_PAGE, MOST_PER_PAGE, type PageQuery } from '#models/page'
import type { DataKeys } from '#knowledge/data_keys'
import type { Findings } from '#knowledge/findings'
import { iso } from '#knowledge/iso'
import type { AgentMemories } from '#knowledge/memory'
import { readable } from '#knowledge/readable'
import type { Tasks } from '#knowledge/tasks'

type List = (
  query: PageQuery
) => Promise<{ data: object[]; meta: { totalPages: number; unreadable?: number } }>

/** Everything that Mosaic knows of one owner, as a file: JSON lines, each with its `type`. */
export class KnowledgeExport {
  constructor(
    protected services: {
      keys: DataKeys
      findings: Findings
      memories: AgentMemories
      tasks: Tasks
    }
  ) {}

  /**
   * Yields `finding`, `memory`, `task` and `message` lines, read from the database page by page. A last line
   * `unreadable` counts what is left out, because the key that sealed it is lost.
   *
   * @throws E_DATA_KEY_GONE if the owner's only key is lost, E_VAULT_TAMPERED
   */
  async *lines(userId: string): AsyncGenerator<string> {
    const { findings, memories, tasks } = this.services
    let unreadable = 0
    unreadable += yield* linesOf('finding', (query) => findings.list(userId, query))
    unreadable += yield* linesOf('memory', (query) => memories.list(userId, query))
    unreadable += yield* linesOf('task', (query) => tasks.list(userId, query))
    unreadable += yield* this.#messages(userId)
    if (unreadable > 0) yield line('unreadable', { count: unreadable })
  }

  /** One conversation after the other, the oldest message first. Returns how many conversations it left out. */
  async *#messages(userId: string): AsyncGenerator<string, number> {
    const conversations = await ArchiveConversation.ownedBy(userId).orderBy('id')
    if (conversations.length === 0) return 0
    const cipher = await this.services.keys.require(userId)
    const { views, unreadable } = readable(conversations, (conversation) => ({
      conversation,
      conversationId: conversation.openWith(cipher, 'name'),
      title: conversation.openWith(cipher, 'title'),
    }))
    for (const { conversation, conversationId, title } of views) {
      for (let page = FIRST_PAGE; ; page++) {
        const rows = await ArchiveMessage.ownedBy(userId)
          .where('conversation_id', conversation.id)
          .orderBy('said_at')
          .orderBy('id')
          .forPage(page, MOST_PER_PAGE)
        for (const row of rows) {
          const { role } = row
          const text = row.openWith(cipher, 'text')
          yield line('message', { conversationId, title, role, text, at: iso(row.saidAt) })
        }
        if (rows.length < MOST_PER_PAGE) break
      }
    }
    return unreadable
  }
}

/** Returns how many entries it left out. */
async function* linesOf(type: string, list: List): AsyncGenerator<string, number> {
  let unreadable = 0
  for (let page = FIRST_PAGE; ; page++) {
    const { data, meta } = await list({ page, limit: MOST_PER_PAGE })
    for (const entry of data) yield line(type, entry)
    unreadable += meta.unreadable ?? 0
    if (page >= meta.totalPages) return unreadable
  }
}

const line = (type: string, entry: object) => `${JSON.stringify({ type, ...entry })}\n`

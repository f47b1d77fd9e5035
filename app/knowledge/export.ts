import { Readable } from 'node:stream'
import db from '@adonisjs/lucid/services/db'
import type { LucidModel, ModelQueryBuilderContract } from '@adonisjs/lucid/types/model'
import ArchiveConversation from '#models/archive_conversation'
import ArchiveMessage from '#models/archive_message'
import Finding from '#models/finding'
import { MOST_PER_PAGE } from '#models/page'
import Task from '#models/task'
import type { DataKeys } from '#knowledge/data_keys'
import { E_EXPORT_UNDER_WAY } from '#knowledge/errors'
import type { Findings } from '#knowledge/findings'
import { iso } from '#knowledge/iso'
import type { AgentMemories } from '#knowledge/memory'
import { readable } from '#knowledge/readable'
import type { Tasks } from '#knowledge/tasks'
import type { DataCipher } from '#vaults/data_cipher'

/** Everything that Mosaic knows of one owner, as a file: JSON lines, each with its `type`. */
export class KnowledgeExport {
  /** Owners whose export is under way. */
  readonly #running = new Set<string>()

  constructor(
    protected services: {
      keys: DataKeys
      findings: Findings
      memories: AgentMemories
      tasks: Tasks
    }
  ) {}

  /**
   * Returns the lines as a stream. An owner has one at a time, until it has ended or is destroyed.
   *
   * @throws E_EXPORT_UNDER_WAY
   */
  stream(userId: string): Readable {
    if (this.#running.has(userId)) throw new E_EXPORT_UNDER_WAY()
    this.#running.add(userId)
    return Readable.from(this.lines(userId)).once('close', () => this.#running.delete(userId))
  }

  /**
   * Yields `finding`, `memory`, `task` and `message` lines, read from the database page by page. A last line
   * `unreadable` counts what is left out, because the key that sealed it is lost.
   *
   * @throws E_DATA_KEY_GONE if the owner's only key is lost, E_VAULT_TAMPERED
   */
  async *lines(userId: string): AsyncGenerator<string> {
    const { findings, memories, tasks } = this.services
    let unreadable = 0
    unreadable += yield* linesOf(
      'finding',
      () => Finding.ownedBy(userId),
      (rows) => findings.viewsOf(userId, rows)
    )
    unreadable += yield* linesOf(
      'memory',
      () => memories.lasting(userId),
      (rows) => memories.viewsOf(userId, rows)
    )
    unreadable += yield* linesOf(
      'task',
      () => Task.ownedBy(userId),
      (rows) => tasks.viewsOf(userId, rows)
    )
    unreadable += yield* this.#messages(userId)
    if (unreadable > 0) yield line('unreadable', { count: unreadable })
  }

  /** One conversation after the other, the oldest message first. Returns how many conversations it left out. */
  async *#messages(userId: string): AsyncGenerator<string, number> {
    let unreadable = 0
    for (let last = ''; ;) {
      const rows = await ArchiveConversation.ownedBy(userId)
        .where('id', '>', last)
        .orderBy('id')
        .limit(MOST_PER_PAGE)
      if (rows.length === 0) return unreadable
      const cipher = await this.services.keys.require(userId)
      const conversations = readable(rows, (conversation) => ({
        id: conversation.id,
        told: {
          conversationId: conversation.openWith(cipher, 'name'),
          title: conversation.openWith(cipher, 'title'),
        },
      }))
      unreadable += conversations.unreadable
      for (const { id, told } of conversations.views) {
        for await (const message of messagesOf(userId, id, cipher)) {
          yield line('message', { ...told, ...message })
        }
      }
      last = rows.at(-1)!.id
    }
  }
}

/** Each page begins after the last message of the former, so that none is left out while others are deleted. */
async function* messagesOf(userId: string, conversationId: string, cipher: DataCipher) {
  const { dateTimeFormat } = db.connection().dialect
  let last: ArchiveMessage | undefined
  do {
    const page = ArchiveMessage.ownedBy(userId)
      .where('conversation_id', conversationId)
      .orderBy('said_at')
      .orderBy('id')
      .limit(MOST_PER_PAGE)
    if (last) {
      void page.whereRaw('(said_at, id) > (?, ?)', [last.saidAt.toFormat(dateTimeFormat), last.id])
    }
    const rows = await page
    for (const row of rows) {
      yield { role: row.role, text: row.openWith(cipher, 'text'), at: iso(row.saidAt) }
    }
    last = rows.length < MOST_PER_PAGE ? undefined : rows.at(-1)
  } while (last)
}

/**
 * Yields entries by their ids, so that none is left out while others are changed or deleted. Returns how many it could
 * not open.
 */
async function* linesOf<Model extends LucidModel>(
  type: string,
  query: () => ModelQueryBuilderContract<Model>,
  viewsOf: (rows: InstanceType<Model>[]) => Promise<{ views: object[]; unreadable: number }>
): AsyncGenerator<string, number> {
  let unreadable = 0
  for (let last = ''; ;) {
    const rows = await query().where('id', '>', last).orderBy('id').limit(MOST_PER_PAGE)
    const opened = await viewsOf(rows)
    for (const view of opened.views) yield line(type, view)
    unreadable += opened.unreadable
    if (rows.length < MOST_PER_PAGE) return unreadable
    last = String(rows.at(-1)!.$primaryKeyValue)
  }
}

const line = (type: string, entry: object) => `${JSON.stringify({ type, ...entry })}\n`

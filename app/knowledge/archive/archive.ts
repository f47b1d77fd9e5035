import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import ArchiveConversation from '#models/archive_conversation'
import ArchiveMessage from '#models/archive_message'
import { FIRST_PAGE, PAGE_LIMIT, pageWith, type PageQuery } from '#models/page'
import type { ArchiveSettings } from '#knowledge/archive/archive_settings'
import type { DataKeys } from '#knowledge/data_keys'
import { E_ARCHIVE_NOT_FOUND } from '#knowledge/errors'
import { iso } from '#knowledge/iso'
import { readable } from '#knowledge/readable'
import { wordsOf } from '#knowledge/search/words'
import type { WordIndex } from '#knowledge/search/word_index'
import type { Settings } from '#settings/settings'
import { shortened } from '#text/cut'

/** Length of a message in search results, in characters. */
const EXCERPT_LENGTH = 1000

/** Extra matches to read, because some are past the retention period. */
const MORE_MATCHES = 20

const MEGABYTE = 1024 * 1024

/** Messages deleted per transaction. */
const BATCH = 200

/**
 * Conversations without messages whose read position is kept, the latest. More are the work of an agent that invents
 * them.
 */
const MOST_POSITIONS = 10_000

/** A message in search results. */
export interface FoundMessage {
  /** The archived conversation's id, for `DELETE /api/v1/archive/:id`. */
  id: string
  /** The agent's id of the conversation. */
  conversationId: string
  title: string | null
  role: 'user' | 'assistant'
  /** The message, or its start. */
  text: string
  at: string
  score: number
}

/** An archived conversation in its owner's list. */
export interface KeptConversation {
  /** For `DELETE /api/v1/archive/:id`. */
  id: string
  /** The agent's id of the conversation. */
  conversationId: string
  title: string | null
  messages: number
  lastMessageAt: string
}

/** Archived messages of owners who opted in. Searchable while the agent is asleep. */
export class Archive {
  constructor(
    protected keys: DataKeys,
    protected index: WordIndex,
    protected rules: Pick<ArchiveSettings, 'get'>,
    protected settings: Pick<Settings, 'get'>
  ) {}

  /** Returns the latest first. @throws E_DATA_KEY_GONE if the owner's only key is lost */
  async list(userId: string, { page = FIRST_PAGE, limit = PAGE_LIMIT }: PageQuery) {
    const found = await ArchiveConversation.ownedBy(userId)
      .whereExists((kept) => {
        void kept
          .from('archive_messages')
          .whereColumn('archive_messages.conversation_id', 'archive_conversations.id')
      })
      .orderBy('last_message_at', 'desc')
      .orderBy('id')
      .paginate(page, limit)
    const cipher = found.length > 0 ? await this.keys.require(userId) : null
    const counts = await countsOf(found.all().map(({ id }) => id))
    const { views, unreadable } = readable(found.all(), (row): KeptConversation => ({
      id: row.id,
      conversationId: row.openWith(cipher!, 'name')!,
      title: row.openWith(cipher!, 'title'),
      messages: counts.get(row.id) ?? 0,
      lastMessageAt: iso(row.lastMessageAt)!,
    }))
    return pageWith(found, views, unreadable)
  }

  /** Returns the best match first. @throws E_DATA_KEY_GONE, E_VAULT_TAMPERED */
  async search(userId: string, query: string, limit: number): Promise<FoundMessage[]> {
    const cipher = await this.keys.find(userId)
    if (!cipher) return []
    const matches = await this.index.search(cipher, {
      userId,
      kind: 'archive',
      words: wordsOf(query),
      limit: limit + MORE_MATCHES,
    })
    const ids = matches.map(({ refId }) => refId)
    const oldest = await this.#oldest(userId)
    const rows = await ArchiveMessage.ownedBy(userId).whereIn('id', ids)
    const messages = new Map(
      rows.filter(({ saidAt }) => saidAt >= oldest).map((row) => [row.id, row])
    )
    const conversations = new Map(
      (
        await ArchiveConversation.ownedBy(userId).whereIn(
          'id',
          rows.map((row) => row.conversationId)
        )
      ).map((row) => [row.id, row])
    )
    const found = matches.flatMap(({ refId, score }) => {
      const message = messages.get(refId)
      const conversation = message && conversations.get(message.conversationId)
      if (!conversation) return []
      return {
        id: conversation.id,
        conversationId: conversation.openWith(cipher, 'name')!,
        title: conversation.openWith(cipher, 'title'),
        role: message.role,
        text: shortened(message.openWith(cipher, 'text')!, EXCERPT_LENGTH),
        at: iso(message.saidAt)!,
        score,
      }
    })
    return found.slice(0, limit)
  }

  /**
   * Deletes a conversation's archived messages. First stores the time of the latest one and keeps the read position,
   * so that these messages are not archived again. Later messages still are.
   *
   * @throws E_ARCHIVE_NOT_FOUND
   */
  async delete(userId: string, id: string): Promise<void> {
    const kept = await db.transaction(async (client) => {
      const row = await ArchiveConversation.ownedBy(userId)
        .useTransaction(client)
        .where('id', id)
        .forUpdate()
        .first()
      if (!row) throw new E_ARCHIVE_NOT_FOUND()
      const messages = await ArchiveMessage.ownedBy(userId)
        .useTransaction(client)
        .where('conversation_id', row.id)
        .select('id', 'said_at')
      if (messages.length === 0) throw new E_ARCHIVE_NOT_FOUND()
      const forgottenUntil = messages.reduce(
        (latest, { saidAt }) => (saidAt > latest ? saidAt : latest),
        row.lastMessageAt
      )
      await row.merge({ title: null, forgottenUntil }).useTransaction(client).save()
      return messages
    })
    for (let at = 0; at < kept.length; at += BATCH) {
      await this.#remove(kept.slice(at, at + BATCH).map((message) => message.id))
    }
  }

  /**
   * Deletes messages past the owner's retention period, then the oldest ones over the size limit, then read
   * positions over their limit. Reads all of the owner's messages and conversations.
   */
  async prune(userId: string): Promise<void> {
    await this.pruneMessages(userId)
    await this.#prunePositions(userId)
  }

  /** Deletes messages as `prune` does, and no read position. */
  async pruneMessages(userId: string): Promise<void> {
    const oldest = (await this.#oldest(userId)).toFormat(db.connection().dialect.dateTimeFormat)
    for (;;) {
      const old = await ArchiveMessage.ownedBy(userId)
        .where('said_at', '<', oldest)
        .limit(BATCH)
        .select('id')
      if (old.length === 0) break
      await this.#remove(old.map(({ id }) => id))
    }
    await this.#pruneSurplus(userId)
  }

  /** Deletes the oldest messages over the installation's limit. Sums up their sizes once. */
  async #pruneSurplus(userId: string): Promise<void> {
    const most = (await this.settings.get('limits.archiveMb')) * MEGABYTE
    const sums = await db
      .from('archive_messages')
      .where('user_id', userId)
      .sum('bytes as bytes')
      .first()
    let surplus = Number(sums?.bytes ?? 0) - most
    while (surplus > 0) {
      const oldest = await ArchiveMessage.ownedBy(userId)
        .orderBy('said_at')
        .orderBy('id')
        .limit(BATCH)
        .select('id', 'bytes')
      if (oldest.length === 0) return
      const ids: string[] = []
      for (const { id, bytes } of oldest) {
        if (surplus <= 0) break
        surplus -= bytes
        ids.push(id)
      }
      await this.#remove(ids)
    }
  }

  /** The positions of conversations that the owner deleted stay longest: an agent can invent any number of others. */
  async #prunePositions(userId: string): Promise<void> {
    const all = await db
      .from('archive_conversations')
      .where('user_id', userId)
      .count('* as n')
      .first()
    if (Number(all.n) <= MOST_POSITIONS) return
    for (;;) {
      const surplus = await ArchiveConversation.ownedBy(userId)
        .whereNotExists((kept) => {
          void kept
            .from('archive_messages')
            .whereColumn('archive_messages.conversation_id', 'archive_conversations.id')
        })
        .orderByRaw('case when forgotten_until is null then 1 else 0 end')
        .orderBy('updated_at', 'desc')
        .orderBy('id')
        .offset(MOST_POSITIONS)
        .limit(BATCH)
        .select('id')
      if (surplus.length === 0) return
      const ids = surplus.map(({ id }) => id)
      await ArchiveConversation.ownedBy(userId).whereIn('id', ids).delete()
    }
  }

  async #remove(ids: string[]): Promise<void> {
    await db.transaction(async (trx) => {
      await this.index.remove('archive', ids, trx)
      await ArchiveMessage.query({ client: trx }).whereIn('id', ids).delete()
    })
  }

  async #oldest(userId: string): Promise<DateTime> {
    const { days } = await this.rules.get(userId)
    return DateTime.utc().minus({ days })
  }
}

/** Counts the messages of each conversation. */
async function countsOf(conversationIds: string[]): Promise<Map<string, number>> {
  const rows = await db
    .from('archive_messages')
    .whereIn('conversation_id', conversationIds)
    .groupBy('conversation_id')
    .select('conversation_id')
    .count('* as messages')
  return new Map(rows.map((row) => [row.conversation_id, Number(row.messages)]))
}

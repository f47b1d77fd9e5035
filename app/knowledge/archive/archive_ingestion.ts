import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import ArchiveConversation from '#models/archive_conversation'
import ArchiveMessage from '#models/archive_message'
import type { Archive } from '#knowledge/archive/archive'
import type { ArchiveSettings } from '#knowledge/archive/archive_settings'
import type { DataKeys } from '#knowledge/data_keys'
import { sizeOf } from '#knowledge/quota'
import { countsOf, wordsOf } from '#knowledge/search/words'
import type { WordIndex } from '#knowledge/search/word_index'
import type { DataCipher } from '#vaults/data_cipher'
import { cut } from '#text/cut'

/** Characters of one message that are kept. */
const LONGEST_MESSAGE = 100_000

/** Parts of a conversation that one reading asks for: twenty thousand messages. */
const MOST_PARTS = 100

/** Messages that are stored at once. */
const BATCH = 50

/** A message as the agent tells it. */
export interface SourceMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  at: Date
}

export interface SourceConversation {
  id: string
  title: string | null
  updatedAt: Date
}

/** Where an agent's conversations are read. Nothing of it wakes the agent. */
export interface ConversationSource {
  list(): Promise<SourceConversation[]>
  /** A part, oldest message first; without a cursor the latest. Null where there is none. */
  read(
    id: string,
    cursor?: string
  ): Promise<{ messages: SourceMessage[]; nextCursor: string | null } | null>
}

/**
 * Copies what was said since the last time into the archive, oldest message first and in small transactions, each
 * with the cursor that it leads to. So a reading that breaks off loses nothing, and one that runs again doubles
 * nothing.
 */
export class ArchiveIngestion {
  constructor(
    protected keys: DataKeys,
    protected index: WordIndex,
    protected rules: Pick<ArchiveSettings, 'get'>,
    protected archive: Pick<Archive, 'prune'>
  ) {}

  /** Returns how many messages were added: none where the owner keeps no archive. @throws what the source throws */
  async ingest(userId: string, source: ConversationSource): Promise<number> {
    const { enabled, days } = await this.rules.get(userId)
    if (!enabled) return 0
    const cipher = await this.keys.get(userId)
    const oldest = DateTime.utc().minus({ days }).toJSDate()
    let added = 0
    for (const conversation of await source.list()) {
      if (conversation.updatedAt < oldest) continue
      added += await this.#ingestOne(userId, cipher, conversation, source, oldest)
    }
    await this.archive.prune(userId)
    return added
  }

  async #ingestOne(
    userId: string,
    cipher: DataCipher,
    { id, title }: SourceConversation,
    source: ConversationSource,
    oldest: Date
  ): Promise<number> {
    const externalMac = cipher.name('conversation', id)
    const known = await ArchiveConversation.ownedBy(userId)
      .where('external_mac', externalMac)
      .first()
    const nameOf = (message: SourceMessage) =>
      cipher.name('message', id, message.id, message.role, message.at.toISOString(), message.text)
    const fresh = await unread(id, source, oldest, (message) => {
      return known !== null && nameOf(message) === known.cursorMac
    })
    if (fresh.length === 0) return 0

    const row = known ?? new ArchiveConversation()
    let added = 0
    for (let at = 0; at < fresh.length; at += BATCH) {
      const batch = fresh.slice(at, at + BATCH)
      const last = batch.at(-1)!
      row.merge({
        userId,
        externalMac,
        cursorMac: nameOf(last),
        lastMessageAt: DateTime.fromJSDate(last.at),
      })
      row.sealWith(cipher, 'name', id)
      row.sealWith(cipher, 'title', title)
      await db.transaction(async (trx) => {
        await row.useTransaction(trx).save()
        const there = await namesIn(row.id, batch.map(nameOf), trx)
        for (const message of batch.filter((one) => !there.has(nameOf(one)))) {
          await this.#store(row, cipher, message, nameOf(message), trx)
          added++
        }
      })
    }
    return added
  }

  async #store(
    { id: conversationId, userId }: ArchiveConversation,
    cipher: DataCipher,
    { role, text, at }: SourceMessage,
    externalMac: string,
    client: TransactionClientContract
  ): Promise<void> {
    const kept = cut(text, LONGEST_MESSAGE)
    const row = new ArchiveMessage()
    row.merge({ userId, conversationId, externalMac, role, bytes: sizeOf(kept) })
    row.saidAt = DateTime.fromJSDate(at)
    row.sealWith(cipher, 'text', kept)
    await row.useTransaction(client).save()
    const counts = countsOf(wordsOf(kept))
    await this.index.add(cipher, { userId, kind: 'archive', refId: row.id, counts }, client)
  }
}

/** Those of the messages that are stored already. */
async function namesIn(
  conversationId: string,
  names: string[],
  client: TransactionClientContract
): Promise<Set<string>> {
  const rows = await ArchiveMessage.query({ client })
    .where('conversation_id', conversationId)
    .whereIn('external_mac', names)
    .select('external_mac')
  return new Set(rows.map(({ externalMac }) => externalMac))
}

/** What was said since the cursor, oldest first, and no more than is kept. */
async function unread(
  id: string,
  source: ConversationSource,
  oldest: Date,
  isCursor: (message: SourceMessage) => boolean
): Promise<SourceMessage[]> {
  const newestFirst: SourceMessage[] = []
  let cursor: string | undefined
  for (let parts = 0; parts < MOST_PARTS; parts++) {
    const part = await source.read(id, cursor)
    if (!part) break
    for (const message of part.messages.toReversed()) {
      if (isCursor(message) || message.at < oldest) return newestFirst.toReversed()
      newestFirst.push(message)
    }
    if (part.nextCursor === null) break
    cursor = part.nextCursor
  }
  return newestFirst.toReversed()
}

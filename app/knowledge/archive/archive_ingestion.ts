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

/** Archived messages are cut to this many characters. */
const LONGEST_MESSAGE = 100_000

/** Longer than the titles that OpenClaw makes. */
const LONGEST_TITLE = 200

/** Limit of pages read per conversation and run: twenty thousand messages. */
const MOST_PARTS = 100

/** What a message takes besides its text, in bytes or characters: its row, its name, its place in the index. */
const MESSAGE_COST = 256

/** Characters read per conversation and run; earlier messages are not archived. */
const MOST_CHARACTERS = 8_000_000

/** Characters after which a run ends. The next run goes on with the other conversations. */
const MOST_IN_RUN = 16_000_000

/** Characters after which a run prunes: each time sums up all messages of the owner. */
const PRUNED_AFTER = 2_000_000

/** Bytes of answers after which a run ends: an agent can send masses in which no message is. */
const MOST_READ = 512 * 1024 * 1024

/** Messages stored per transaction, and their characters: all other changes wait for it in SQLite. */
const BATCH = 50
const BATCH_CHARACTERS = 200_000

/** How exactly SQLite keeps a time, in milliseconds. */
const SECOND = 1000

/** A message as read from the agent. */
export interface SourceMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  at: Date
}

/** A message with its name in place of its id: the same for the same message in each run, and no other's. */
interface NamedMessage extends Omit<SourceMessage, 'id'> {
  mac: string
}

export interface SourceConversation {
  id: string
  title: string | null
  updatedAt: Date
}

export interface SourcePart {
  messages: SourceMessage[]
  nextCursor: string | null
  /** Size of the answer with them, if it is known. */
  bytes?: number
}

/** Source of an agent's conversations. Never wakes the agent. */
export interface ConversationSource {
  list(): Promise<SourceConversation[]>
  /** Returns a page, oldest message first; the latest page without a cursor. Null if there is none. */
  read(id: string, cursor?: string): Promise<SourcePart | null>
}

/**
 * Copies messages since the last run into the archive, oldest first and in small transactions, each of which
 * also stores the new cursor. So an interrupted run loses nothing, and a repeated one adds no duplicates.
 */
export class ArchiveIngestion {
  constructor(
    protected keys: DataKeys,
    protected index: WordIndex,
    protected rules: Pick<ArchiveSettings, 'get'>,
    protected archive: Pick<Archive, 'prune' | 'pruneMessages'>
  ) {}

  /**
   * Returns the number of messages added, or null if the owner has no archive.
   *
   * @throws the signal's reason, and whatever the source throws
   */
  async ingest(
    userId: string,
    source: ConversationSource,
    signal?: AbortSignal
  ): Promise<number | null> {
    const { enabled, days } = await this.rules.get(userId)
    if (!enabled) return null
    const cipher = await this.keys.get(userId)
    const oldest = DateTime.utc().minus({ days }).toJSDate()
    const run: Run = { oldest, signal, bytes: 0 }
    let [added, characters, pruned] = [0, 0, 0]
    for (const conversation of await source.list()) {
      if (conversation.updatedAt < oldest) continue
      if (characters >= MOST_IN_RUN || run.bytes >= MOST_READ) break
      if (!(await this.#isOn(userId))) break
      const stored = await this.#ingestOne(userId, cipher, conversation, source, run)
      added += stored.messages
      characters += stored.characters
      if (characters - pruned < PRUNED_AFTER) continue
      await this.archive.pruneMessages(userId)
      pruned = characters
    }
    await this.archive.prune(userId)
    return added
  }

  async #ingestOne(
    userId: string,
    cipher: DataCipher,
    { id, title }: SourceConversation,
    source: ConversationSource,
    run: Run
  ): Promise<{ messages: number; characters: number }> {
    const externalMac = cipher.name('conversation', id)
    const known = await ArchiveConversation.ownedBy(userId)
      .where('external_mac', externalMac)
      .first()
    const named = ({ id: messageId, role, at, text }: SourceMessage): NamedMessage => ({
      role,
      at,
      text: cut(text, LONGEST_MESSAGE),
      mac: cipher.name('message', id, messageId, role, at.toISOString(), text),
    })
    const cursor = known?.cursorMac ?? null
    const forgottenUntil = known?.forgottenUntil?.toJSDate() ?? null
    const place = { id, named, cursor, forgottenUntil }
    const { messages: fresh, characters } = await unread(source, run, place)

    const row = known ?? new ArchiveConversation()
    let added = 0
    for (const batch of batchesOf(fresh)) {
      run.signal?.throwIfAborted()
      if (!(await this.#isOn(userId))) break
      const last = batch.at(-1)!
      row.merge({
        userId,
        externalMac,
        cursorMac: last.mac,
        lastMessageAt: DateTime.fromJSDate(last.at),
      })
      row.sealWith(cipher, 'name', id)
      row.sealWith(cipher, 'title', title && cut(title, LONGEST_TITLE))
      const stored = await db.transaction(async (trx) => {
        if (row.$isPersisted && !(await isAsRead(row, trx))) return null
        await row.useTransaction(trx).save()
        const macs = batch.map(({ mac }) => mac)
        const there = await storedOf(row.id, macs, trx)
        const missing = batch.filter(({ mac }) => !there.has(mac))
        for (const message of missing) await this.#store(row, cipher, message, trx)
        return missing.length
      })
      if (stored === null) break
      added += stored
    }
    return { messages: added, characters }
  }

  /** Reads the setting again, because the owner may turn the archive off during a run. */
  async #isOn(userId: string): Promise<boolean> {
    return (await this.rules.get(userId)).enabled
  }

  async #store(
    { id: conversationId, userId }: ArchiveConversation,
    cipher: DataCipher,
    { role, text, at, mac }: NamedMessage,
    client: TransactionClientContract
  ): Promise<void> {
    const row = new ArchiveMessage()
    row.merge({ userId, conversationId, externalMac: mac, role })
    row.bytes = sizeOf(text) + MESSAGE_COST
    row.saidAt = DateTime.fromJSDate(at)
    row.sealWith(cipher, 'text', text)
    await row.useTransaction(client).save()
    const counts = countsOf(wordsOf(text))
    await this.index.add(cipher, { userId, kind: 'archive', refId: row.id, counts }, client)
  }
}

/** Tells whether the conversation is still the one whose messages were read: the owner may delete it meanwhile. */
async function isAsRead(
  { id, forgottenUntil }: ArchiveConversation,
  client: TransactionClientContract
): Promise<boolean> {
  const present = await ArchiveConversation.query({ client }).where('id', id).forUpdate().first()
  return present !== null && present.forgottenUntil?.toMillis() === forgottenUntil?.toMillis()
}

/** Returns those of the messages' names that are stored already. */
async function storedOf(
  conversationId: string,
  macs: string[],
  client: TransactionClientContract
): Promise<Set<string>> {
  const rows = await ArchiveMessage.query({ client })
    .where('conversation_id', conversationId)
    .whereIn('external_mac', macs)
    .select('external_mac')
  return new Set(rows.map(({ externalMac }) => externalMac))
}

/** Splits messages into transactions. Every batch has at least one. */
function batchesOf(messages: NamedMessage[]): NamedMessage[][] {
  const batches: NamedMessage[][] = []
  let characters = Infinity
  for (const message of messages) {
    characters += message.text.length
    if (characters > BATCH_CHARACTERS || batches.at(-1)!.length === BATCH) {
      batches.push([])
      characters = message.text.length
    }
    batches.at(-1)!.push(message)
  }
  return batches
}

interface Run {
  /** Start of the retention period. */
  oldest: Date
  signal?: AbortSignal
  /** Size of all answers so far. */
  bytes: number
}

interface UnreadInput {
  id: string
  named: (message: SourceMessage) => NamedMessage
  /** The name of the newest archived message. */
  cursor: string | null
  /** The time of the newest message that the owner deleted; in SQLite without its milliseconds. */
  forgottenUntil: Date | null
}

/**
 * Returns the messages after the cursor, oldest first, within the retention period, and their length. Leaves
 * out those without text: an agent's steps in a run that has not ended, or that ended without an answer. If the
 * cursor's message is gone or was changed, what the owner deleted is left out by its time.
 */
async function unread(
  source: ConversationSource,
  run: Run,
  { id, named, cursor, forgottenUntil }: UnreadInput
): Promise<{ messages: NamedMessage[]; characters: number }> {
  const newestFirst: NamedMessage[] = []
  let characters = 0
  const forgotten = forgottenUntil?.getTime() ?? -Infinity
  const read = () => ({ messages: newestFirst.toReversed(), characters })
  const readByTime = () => {
    const messages = newestFirst.filter(({ at }) => at.getTime() >= forgotten + SECOND)
    return { messages: messages.toReversed(), characters }
  }
  let page: string | undefined
  for (let parts = 0; parts < MOST_PARTS; parts++) {
    run.signal?.throwIfAborted()
    const part = await source.read(id, page)
    if (!part) break
    run.bytes += part.bytes ?? 0
    for (const message of part.messages.toReversed()) {
      characters += MESSAGE_COST
      if (characters > MOST_CHARACTERS) return readByTime()
      if (message.text.trim() === '') continue
      const one = named(message)
      if (one.mac === cursor) return read()
      if (one.at < run.oldest || one.at.getTime() < forgotten) return readByTime()
      characters += message.text.length
      if (characters > MOST_CHARACTERS) return readByTime()
      newestFirst.push(one)
    }
    if (part.nextCursor === null || run.bytes >= MOST_READ) break
    page = part.nextCursor
  }
  return readByTime()
}

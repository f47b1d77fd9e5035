import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import AgentMemory from '#models/agent_memory'
import ArchiveConversation from '#models/archive_conversation'
import ArchiveMessage from '#models/archive_message'
import Finding from '#models/finding'
import Task from '#models/task'
import { lockOwner } from '#models/owner_lock'
import type { DataKeys } from '#knowledge/data_keys'
import type { FindingVectors } from '#knowledge/search/finding_vectors'
import type { WordIndex } from '#knowledge/search/word_index'
import { DATA_SEAL_PREFIX } from '#vaults/data_cipher'

/** Rows deleted per transaction. */
const BATCH = 200

const FINDINGS = { model: Finding, sealed: 'title' }
const MESSAGES = { model: ArchiveMessage, sealed: 'text' }
const CONVERSATIONS = { model: ArchiveConversation, sealed: 'name' }
const OTHERS = [
  { model: AgentMemory, sealed: 'name' },
  { model: Task, sealed: 'title' },
]

/** A model, and a sealed column that each of its rows has. */
type Kind = typeof FINDINGS | typeof MESSAGES | typeof CONVERSATIONS | (typeof OTHERS)[number]

/**
 * One owner's rows whose data key was deleted. Lists leave them out, and a memory's key cannot even be computed any
 * more, so they are counted and deleted all together.
 */
export class UnreadableKnowledge {
  constructor(
    protected keys: DataKeys,
    protected index: WordIndex,
    protected vectors: FindingVectors
  ) {}

  /** Counts findings, memories, tasks and archived conversations. */
  async count(userId: string): Promise<number> {
    const kinds = [FINDINGS, ...OTHERS, CONVERSATIONS]
    const counts = await Promise.all(
      kinds.map(async (kind) => {
        const [row] = await unreadable(kind, userId).pojo<{ rows: unknown }>().count('* as rows')
        return Number(row.rows)
      })
    )
    return counts.reduce((sum, each) => sum + each, 0)
  }

  /**
   * Deletes them, and returns how many `count` would have counted. A key that the vault cannot open at present still
   * exists, so its rows stay.
   *
   * @throws E_VAULT_UNKNOWN_KEY, E_VAULT_TAMPERED
   */
  async delete(userId: string): Promise<number> {
    const cipher = await this.keys.find(userId)
    let deleted = await deleteEach(FINDINGS, userId, async (ids, trx) => {
      await this.index.remove('finding', ids, trx)
      await this.vectors.forget(cipher, userId, ids, trx)
      const corrected = Finding.query({ client: trx }).where('user_id', userId)
      await corrected.whereIn('superseded_by', ids).update({ superseded_by: null })
    })
    for (const kind of OTHERS) deleted += await deleteEach(kind, userId)
    await deleteEach(MESSAGES, userId, (ids, trx) => this.index.remove('archive', ids, trx))
    return deleted + (await deleteEach(CONVERSATIONS, userId))
  }
}

/** Deletes unreadable rows in batches, after `before` removed what refers to them. Returns their number. */
async function deleteEach(
  kind: Kind,
  userId: string,
  before?: (ids: string[], trx: TransactionClientContract) => Promise<void>
): Promise<number> {
  for (let deleted = 0; ;) {
    const ids = await db.transaction(async (trx) => {
      await lockOwner(userId, trx)
      const rows = await unreadable(kind, userId, trx).limit(BATCH).select('id')
      const found = rows.map(({ id }) => id)
      await before?.(found, trx)
      await kind.model.query({ client: trx }).whereIn('id', found).delete()
      return found
    })
    deleted += ids.length
    if (ids.length < BATCH) return deleted
  }
}

/** Compares the id in what is sealed with the owner's keys: needs no opened key, and races with no new one. */
function unreadable({ model, sealed }: Kind, userId: string, client?: TransactionClientContract) {
  return model
    .query({ client })
    .where(`${model.table}.user_id`, userId)
    .whereNotExists((key) => {
      void key
        .from('data_keys')
        .where('data_keys.user_id', userId)
        .whereRaw(`${model.table}.${sealed} like ? || data_keys.id || ':%'`, [DATA_SEAL_PREFIX])
    })
}

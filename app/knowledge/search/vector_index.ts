import { setImmediate as nextTurn } from 'node:timers/promises'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import VectorBlock from '#models/vector_block'
import { lockOwner } from '#models/owner_lock'
import { compare, freeSlot, normalized, withSlot } from '#knowledge/search/vectors'
import type { Match } from '#knowledge/search/word_index'
import type { DataCipher } from '#vaults/data_cipher'

/** Finds the vectors nearest to another one, among those of one owner and one model. */
export interface VectorIndex {
  /** Stores vectors of findings that have none, all of one length. Locks the owner's row. */
  add(
    cipher: DataCipher,
    vectors: FindingVector[],
    at: { userId: string; model: string },
    trx: TransactionClientContract
  ): Promise<void>
  /** Removes the vectors of these findings; a no-op for those without one. Locks the owner's row. */
  remove(
    cipher: DataCipher | null,
    userId: string,
    findingIds: string[],
    trx: TransactionClientContract
  ): Promise<void>
  /** Removes all vectors of other models, and those that no longer open. */
  removeOthers(cipher: DataCipher | null, userId: string, model: string | null): Promise<void>
  /** Returns the nearest first. The score is the similarity, from -1 to 1. */
  nearest(cipher: DataCipher, wanted: NearestInput): Promise<Match[]>
}

export interface FindingVector {
  findingId: string
  vector: number[]
}

export interface NearestInput {
  userId: string
  /** `<provider id>/<model id>`. */
  model: string
  vector: number[]
  limit: number
}

/** Vectors per block: large enough to open quickly, small enough to be written for one new finding. */
const BLOCK_SLOTS = 256

/** Blocks read at once. After each, other requests get their turn. */
const BATCH = 8

interface Candidate {
  blockId: string
  slot: number
  similarity: number
}

/** Compares with every vector: exact, and fast enough for some hundred thousand. */
export class ExactVectorIndex implements VectorIndex {
  async add(
    cipher: DataCipher,
    vectors: FindingVector[],
    { userId, model }: { userId: string; model: string },
    trx: TransactionClientContract
  ): Promise<void> {
    await lockOwner(userId, trx)
    for (let at = 0; at < vectors.length;) {
      const dimensions = vectors[at].vector.length
      const block = await this.#roomyBlock({ userId, model, dimensions }, trx)
      const some = vectors.slice(at, at + BLOCK_SLOTS - block.count)
      let bytes = block.vectors ? block.openBytesWith(cipher, 'vectors') : Buffer.alloc(0)
      const slots = some.map(({ findingId, vector }) => {
        const slot = freeSlot(bytes, dimensions)
        bytes = withSlot(bytes, dimensions, slot, normalized(vector))
        return { finding_id: findingId, slot }
      })
      block.sealWith(cipher, 'vectors', bytes)
      await block.merge({ count: block.count + some.length }).save()
      const rows = slots.map((slot) => ({ ...slot, block_id: block.id }))
      await trx.insertQuery().table('vector_slots').multiInsert(rows)
      at += some.length
    }
  }

  async remove(
    cipher: DataCipher | null,
    userId: string,
    findingIds: string[],
    trx: TransactionClientContract
  ): Promise<void> {
    await lockOwner(userId, trx)
    const slots: { block_id: string; slot: number }[] = await trx
      .from('vector_slots')
      .whereIn('finding_id', findingIds)
      .select('block_id', 'slot')
    await trx.from('vector_slots').whereIn('finding_id', findingIds).delete()
    for (const [blockId, freed] of Map.groupBy(slots, (slot) => slot.block_id)) {
      const block = await VectorBlock.query({ client: trx }).where('id', blockId).firstOrFail()
      const count = block.count - freed.length
      if (count <= 0 || !cipher || !isSealedBy(cipher, block)) {
        await block.delete()
        continue
      }
      let bytes = block.openBytesWith(cipher, 'vectors')
      for (const { slot } of freed) bytes = withSlot(bytes, block.dimensions, slot, null)
      block.sealWith(cipher, 'vectors', bytes)
      await block.merge({ count }).save()
    }
  }

  async removeOthers(
    cipher: DataCipher | null,
    userId: string,
    model: string | null
  ): Promise<void> {
    await VectorBlock.ownedBy(userId)
      .where((other) => {
        void other.whereNot('model', model ?? '')
        void other.orWhereNot('vectors', 'like', `${cipher?.prefix ?? ''}%`)
      })
      .delete()
  }

  async nearest(
    cipher: DataCipher,
    { userId, model, vector, limit }: NearestInput
  ): Promise<Match[]> {
    const wanted = normalized(vector)
    const best: Candidate[] = []
    for (let after = 0; ;) {
      const blocks = await VectorBlock.ownedBy(userId)
        .where({ model, dimensions: wanted.length })
        .where('position', '>', after)
        .orderBy('position')
        .limit(BATCH)
      for (const block of blocks) {
        if (!isSealedBy(cipher, block)) continue
        compare(block.openBytesWith(cipher, 'vectors'), wanted, (slot, similarity) => {
          insert(best, { blockId: block.id, slot, similarity }, limit)
        })
        await nextTurn()
      }
      if (blocks.length < BATCH) break
      after = blocks.at(-1)!.position
    }
    return this.#findings(best)
  }

  async #roomyBlock(
    of: { userId: string; model: string; dimensions: number },
    trx: TransactionClientContract
  ): Promise<VectorBlock> {
    const { userId, model, dimensions } = of
    const found = await VectorBlock.query({ client: trx })
      .where({ user_id: userId, model, dimensions })
      .where('count', '<', BLOCK_SLOTS)
      .orderBy('position')
      .first()
    if (found) return found
    const last = await trx
      .from('vector_blocks')
      .where('user_id', userId)
      .max('position as position')
      .first()
    const block = new VectorBlock()
    block.merge({ ...of, position: Number(last?.position ?? 0) + 1, count: 0 })
    return block.useTransaction(trx)
  }

  async #findings(best: Candidate[]): Promise<Match[]> {
    const rows: { finding_id: string; block_id: string; slot: number }[] = await db
      .from('vector_slots')
      .whereIn(['block_id', 'slot'] as any, best.map(({ blockId, slot }) => [blockId, slot]) as any)
      .select('finding_id', 'block_id', 'slot')
    const ids = new Map(rows.map((row) => [`${row.block_id}/${row.slot}`, row.finding_id]))
    return best.flatMap(({ blockId, slot, similarity }) => {
      const refId = ids.get(`${blockId}/${slot}`)
      return refId ? [{ refId, score: similarity }] : []
    })
  }
}

const isSealedBy = ({ prefix }: DataCipher, { vectors }: VectorBlock) =>
  vectors?.startsWith(prefix) ?? false

/** Inserts a candidate among the best, best first; of equals, the one stored last. */
function insert(best: Candidate[], candidate: Candidate, limit: number): void {
  if (best.length === limit && candidate.similarity < best[limit - 1].similarity) return
  const at = best.findIndex(({ similarity }) => similarity <= candidate.similarity)
  best.splice(at === -1 ? best.length : at, 0, candidate)
  if (best.length > limit) best.pop()
}

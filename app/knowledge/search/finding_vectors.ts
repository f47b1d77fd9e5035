import db from '@adonisjs/lucid/services/db'
import type { Logger } from '@adonisjs/core/logger'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import Finding from '#models/finding'
import type { DataKeys } from '#knowledge/data_keys'
import { lockOwner } from '#models/owner_lock'
import type { VectorIndex } from '#knowledge/search/vector_index'
import type { Match } from '#knowledge/search/word_index'
import { cut } from '#text/cut'
import type { DataCipher } from '#vaults/data_cipher'

/** An owner's embedding model. */
export interface EmbeddingModel {
  /** `<provider id>/<model id>`. */
  id: string
  /** Makes a vector of each text. @throws E_EMBEDDING_FAILED */
  embed(texts: string[], signal?: AbortSignal): Promise<number[][]>
}

export interface EmbeddingModels {
  /** Returns the model that the owner chose; null without one. */
  of(userId: string): Promise<EmbeddingModel | null>
}

/** How long a search waits for the vector of its query, in milliseconds. */
const QUERY_MS = 3000

/** Searches of one owner at once: each takes a tenth of a second of processor time or more. Others go by words alone. */
const MOST_AT_ONCE = 4

/** Findings per call of the model. */
const BATCH = 32

/** Characters of a finding that are embedded: about 2,000 tokens, which most models accept. */
const EMBEDDED_LENGTH = 6000

/** Pause after a failure, in milliseconds, before a save or a search calls the model again for stored findings. */
const PAUSE_MS = 30_000

/**
 * Vectors of findings. Storing a finding waits for no model: vectors are made in the background after each save, and
 * after a search that finds some missing. Without a model, or while it fails, search goes by words alone.
 */
export class FindingVectors {
  readonly #running = new Map<string, Promise<void>>()
  /** Searches under way, by owner. */
  readonly #searching = new Map<string, number>()
  readonly #pausedUntil = new Map<string, number>()
  #closed = false

  constructor(
    protected keys: DataKeys,
    protected index: VectorIndex,
    protected models: EmbeddingModels,
    protected logger: Pick<Logger, 'warn'>
  ) {}

  /** Returns the nearest first; null if the owner has no embedding model, it failed, or too many searches are under way. */
  async nearest(
    userId: string,
    cipher: DataCipher,
    query: string,
    limit: number
  ): Promise<Match[] | null> {
    const model = await this.models.of(userId)
    if (!model) return null
    this.#start(userId)
    const others = this.#searching.get(userId) ?? 0
    if (others >= MOST_AT_ONCE) return null
    this.#searching.set(userId, others + 1)
    try {
      const [vector] = await model.embed([query], AbortSignal.timeout(QUERY_MS))
      return await this.index.nearest(cipher, { userId, model: model.id, vector, limit })
    } catch (err) {
      this.logger.warn({ err, userId }, 'A search went by words alone: no vector of its query')
      return null
    } finally {
      this.#searched(userId)
    }
  }

  #searched(userId: string): void {
    const others = this.#searching.get(userId)! - 1
    if (others > 0) this.#searching.set(userId, others)
    else this.#searching.delete(userId)
  }

  /** Removes the vectors of findings that change or go. */
  forget(
    cipher: DataCipher | null,
    userId: string,
    findingIds: string[],
    trx: TransactionClientContract
  ): Promise<void> {
    return this.index.remove(cipher, userId, findingIds, trx)
  }

  /** Makes missing vectors in the background. Resolves before they are made. */
  async catchUp(userId: string): Promise<void> {
    if (await this.models.of(userId)) this.#start(userId)
  }

  /** Starts nothing more, and waits for the call under way: the next save or search makes up for the rest. */
  async close(): Promise<void> {
    this.#closed = true
    await this.settled()
  }

  /** Resolves once nothing runs in the background. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  /** Starts over after the owner chose another model, or none. */
  async modelChanged(userId: string): Promise<void> {
    this.#pausedUntil.delete(userId)
    const model = await this.models.of(userId)
    await this.index.removeOthers(await this.keys.find(userId), userId, model?.id ?? null)
    if (model) this.#start(userId)
  }

  /** Once at a time per owner. */
  #start(userId: string): void {
    if (this.#closed || this.#running.has(userId)) return
    if ((this.#pausedUntil.get(userId) ?? 0) > Date.now()) return
    const run = this.#makeMissing(userId)
      .catch((err: unknown) => {
        this.#pausedUntil.set(userId, Date.now() + PAUSE_MS)
        this.logger.warn({ err, userId }, 'Vectors of findings could not be made')
      })
      .finally(() => this.#running.delete(userId))
    this.#running.set(userId, run)
  }

  async #makeMissing(userId: string): Promise<void> {
    while (!this.#closed) {
      const model = await this.models.of(userId)
      if (!model) return
      const cipher = await this.keys.find(userId)
      await this.index.removeOthers(cipher, userId, model.id)
      const rows = cipher ? await withoutVector(userId, cipher) : []
      if (!cipher || rows.length === 0) return
      const texts = rows.map((row) => {
        const text = `${row.openWith(cipher, 'title')}\n${row.openWith(cipher, 'body')}`
        return cut(text, EMBEDDED_LENGTH)
      })
      const vectors = await model.embed(texts)
      await db.transaction(async (trx) => {
        await lockOwner(userId, trx)
        const wanted = new Set(await stillWanted(userId, rows, trx))
        const entries = rows
          .map((row, at) => ({ row, vector: vectors[at] }))
          .filter(({ row }) => wanted.has(`${row.id}/${row.contentMac}`))
          .map(({ row, vector }) => ({ findingId: row.id, vector }))
        await this.index.add(cipher, entries, { userId, model: model.id }, trx)
      })
    }
  }
}

/** Returns some current findings without a vector that the key opens, the oldest first. */
async function withoutVector(userId: string, { prefix }: DataCipher): Promise<Finding[]> {
  return missing(userId)
    .where('title', 'like', `${prefix}%`)
    .orderBy('created_at')
    .orderBy('id')
    .limit(BATCH)
}

/**
 * Returns id and content of those that still need their vector: what changed meanwhile gets one in the next round,
 * and another replica may have been faster.
 */
async function stillWanted(
  userId: string,
  rows: Finding[],
  trx: TransactionClientContract
): Promise<string[]> {
  const ids = rows.map(({ id }) => id)
  const found = await missing(userId, trx).whereIn('id', ids).select('id', 'content_mac')
  return found.map(({ id, contentMac }) => `${id}/${contentMac}`)
}

function missing(userId: string, client?: TransactionClientContract) {
  return Finding.query({ client })
    .where({ user_id: userId, status: 'current' })
    .whereNotExists((slot) => {
      void slot.from('vector_slots').whereColumn('vector_slots.finding_id', 'findings.id')
    })
}

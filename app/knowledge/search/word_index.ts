import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import {
  MILLIONTHS,
  ranked,
  type CollectionSize,
  type RankedDocument,
} from '#knowledge/search/bm25'
import { chosenWords, SEARCH_LIMITS } from '#knowledge/search/query_words'
import { SearchTurns } from '#knowledge/search/search_turns'
import type { DataCipher } from '#vaults/data_cipher'

/** Separately searchable collections. */
export type DocumentKind = 'finding' | 'archive'

/** A document to index. */
export interface IndexedDocument {
  userId: string
  kind: DocumentKind
  /** The id of the document's row. */
  refId: string
  /** Number of occurrences per word. */
  counts: ReadonlyMap<string, number>
}

export interface Match {
  refId: string
  /** Higher is better; comparable only within one search. */
  score: number
}

/** Query words looked up to find the rarest. */
const MOST_LOOKED_UP = 300

const BATCH = 200

/** Different words indexed per document: more than a book's chapter has. The rest is not found. */
const MOST_INDEXED = 10_000

/**
 * Full-text index over words that their owner's key turns into numbers, ranked by BM25. The database counts
 * and ranks without knowing any word. The same arithmetic runs on SQLite and PostgreSQL, and yields the same
 * order.
 */
export class WordIndex {
  constructor(
    protected limits = SEARCH_LIMITS,
    protected turns = new SearchTurns()
  ) {}

  /** Indexes a document, replacing an earlier version. */
  async put(
    cipher: DataCipher,
    document: IndexedDocument,
    trx: TransactionClientContract
  ): Promise<void> {
    await this.remove(document.kind, [document.refId], trx)
    await this.add(cipher, document, trx)
  }

  /** Indexes a new document. */
  async add(
    cipher: DataCipher,
    { userId, kind, refId, counts }: IndexedDocument,
    trx: TransactionClientContract
  ): Promise<void> {
    const length = [...counts.values()].reduce((sum, count) => sum + count, 0)
    if (length === 0) return
    const [made] = await trx
      .insertQuery()
      .table('search_documents')
      .insert({ user_id: userId, kind, ref_id: refId, length })
      .returning('id')
    const id = typeof made === 'object' ? made.id : made
    await this.#grow(userId, kind, { documents: 1, words: length }, trx)

    const byNumber = new Map<number, number>()
    for (const [word, count] of counts) {
      const number = cipher.word(kind, word)
      byNumber.set(number, (byNumber.get(number) ?? 0) + count)
    }
    const rows = [...byNumber]
      .slice(0, MOST_INDEXED)
      .map(([word, frequency]) => [word, id, frequency, length])
    for (let at = 0; at < rows.length; at += BATCH) {
      const batch = rows.slice(at, at + BATCH)
      const places = batch.map(() => '(?, ?, ?, ?)').join(', ')
      await trx.rawQuery(
        `insert into search_words (word, document_id, frequency, length) values ${places}`,
        batch.flat()
      )
    }
  }

  /** Removes documents; a no-op for those not indexed. */
  async remove(
    kind: DocumentKind,
    refIds: string[],
    trx: TransactionClientContract
  ): Promise<void> {
    for (let at = 0; at < refIds.length; at += BATCH) {
      const batch = refIds.slice(at, at + BATCH)
      const result = await trx.rawQuery(
        `delete from search_documents where kind = ? and ref_id in (${batch.map(() => '?').join(', ')})
         returning user_id, length`,
        [kind, ...batch]
      )
      const removed: { user_id: string; length: number }[] = result.rows ?? result
      for (const [userId, documents] of Map.groupBy(removed, (row) => row.user_id)) {
        const words = documents.reduce((sum, { length }) => sum + length, 0)
        await this.#grow(userId, kind, { documents: -documents.length, words: -words }, trx)
      }
    }
  }

  /**
   * Returns the best matches of any of the words, best first; the newest first among equals. Waits while others of the
   * owner's searches run.
   *
   * @throws E_TOO_MANY_SEARCHES
   */
  async search(cipher: DataCipher, input: SearchInput): Promise<Match[]> {
    const asked = [...new Set(input.words)].slice(0, MOST_LOOKED_UP)
    if (asked.length === 0) return []
    const numbers = asked.map((word) => cipher.word(input.kind, word))
    return this.turns.run(input.userId, () => this.#search(numbers, input))
  }

  async #search(numbers: number[], { userId, kind, limit }: SearchInput): Promise<Match[]> {
    const size = await this.#size(userId, kind)
    if (size.documents === 0) return []
    const chosen = await chosenWords(numbers, this.limits)
    if (chosen.words.length === 0) return []
    return this.#matches(userId, kind, await ranked(chosen, size, limit))
  }

  async #size(userId: string, kind: DocumentKind): Promise<CollectionSize> {
    const row = await db
      .from('search_collections')
      .where({ user_id: userId, kind })
      .select('documents', 'words')
      .first()
    return { documents: Number(row?.documents ?? 0), words: Number(row?.words ?? 0) }
  }

  /** Adds to the size of a collection; negative numbers subtract. */
  async #grow(
    userId: string,
    kind: DocumentKind,
    { documents, words }: CollectionSize,
    trx: TransactionClientContract
  ): Promise<void> {
    await trx.rawQuery(
      `insert into search_collections (user_id, kind, documents, words) values (?, ?, ?, ?)
       on conflict (user_id, kind) do update set
         documents = search_collections.documents + excluded.documents,
         words = search_collections.words + excluded.words`,
      [userId, kind, documents, words]
    )
  }

  /** Filters by owner only now, because numbers of two owners' words hardly ever coincide. */
  async #matches(userId: string, kind: DocumentKind, best: RankedDocument[]): Promise<Match[]> {
    const ids = best.map(({ documentId }) => documentId)
    const rows: { id: number; ref_id: string }[] = await db
      .from('search_documents')
      .where({ user_id: userId, kind })
      .whereIn('id', ids)
      .select('id', 'ref_id')
    const refs = new Map(rows.map(({ id, ref_id: refId }) => [id, refId]))
    return best.flatMap(({ documentId, score }) => {
      const refId = refs.get(documentId)
      return refId === undefined ? [] : [{ refId, score: score / MILLIONTHS }]
    })
  }
}

export interface SearchInput {
  userId: string
  kind: DocumentKind
  words: string[]
  limit: number
}

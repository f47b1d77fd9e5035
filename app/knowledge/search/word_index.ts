import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
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

/** The usual parameters of BM25. */
const SATURATION = 1.2
const LENGTH_SHARE = 0.75

/** Query words used for ranking: of a longer text, only the rarest. */
const MOST_WORDS = 16

/** Query words looked up to find the rarest. */
const MOST_LOOKED_UP = 300

/** Scores are summed as integer millionths, so that both databases get the same sum in any order. */
const MILLIONTHS = 1_000_000

const BATCH = 200

/** Different words indexed per document: more than a book's chapter has. The rest is not found. */
const MOST_INDEXED = 10_000

/**
 * Full-text index over words that their owner's key turns into numbers, ranked by BM25. The database counts
 * and ranks without knowing any word. The same arithmetic runs on SQLite and PostgreSQL, and yields the same
 * order.
 */
export class WordIndex {
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
      await trx
        .from('search_documents')
        .where('kind', kind)
        .whereIn('ref_id', refIds.slice(at, at + BATCH))
        .delete()
    }
  }

  /** Returns the best matches of any of the words, best first; the newest first among equals. */
  async search(cipher: DataCipher, { userId, kind, words, limit }: SearchInput): Promise<Match[]> {
    const asked = [...new Set(words)].slice(0, MOST_LOOKED_UP)
    if (asked.length === 0) return []
    const { documents, averageLength } = await this.#sizes(userId, kind)
    if (documents === 0) return []
    const holders = await this.#holders(asked.map((word) => cipher.word(kind, word)))
    const weights = [...holders]
      .toSorted(([, one], [, other]) => one - other)
      .slice(0, MOST_WORDS)
      .map(([word, held]) => [word, rarity(documents, held)] as const)
    return weights.length === 0 ? [] : this.#ranked(userId, kind, weights, averageLength, limit)
  }

  async #sizes(userId: string, kind: DocumentKind) {
    const row = await db
      .from('search_documents')
      .where({ user_id: userId, kind })
      .select(db.rawQuery('count(*) as documents, coalesce(sum(length), 0) as words'))
      .first()
    const documents = Number(row.documents)
    return { documents, averageLength: Number(row.words) / Math.max(documents, 1) }
  }

  /** Counts the documents that contain each word; omits words without any. */
  async #holders(words: number[]): Promise<Map<number, number>> {
    const rows = await db
      .from('search_words')
      .whereIn('word', words)
      .groupBy('word')
      .select('word')
      .count('* as held')
    return new Map(rows.map(({ word, held }) => [Number(word), Number(held)]))
  }

  /**
   * Ranks by words alone and then filters by owner, because numbers of two owners' words hardly ever
   * coincide.
   */
  async #ranked(
    userId: string,
    kind: DocumentKind,
    weights: (readonly [number, number])[],
    averageLength: number,
    limit: number
  ): Promise<Match[]> {
    const cases = weights.map(() => 'when ? then cast(? as double precision)').join(' ')
    const places = weights.map(() => '?').join(', ')
    const result = await db.rawQuery(
      `select d.ref_id as ref_id, ranked.score as score
       from (
         select document_id, cast(sum(cast(round(
           (case word ${cases} end) * frequency * cast(? as double precision) /
           (frequency + cast(? as double precision) + cast(? as double precision) * length)
         ) as bigint)) as bigint) as score
         from search_words where word in (${places})
         group by document_id
         order by score desc, document_id desc
         limit ?
       ) as ranked
       join search_documents d on d.id = ranked.document_id
       where d.user_id = ? and d.kind = ?
       order by ranked.score desc, ranked.document_id desc`,
      [
        ...weights.flat(),
        (SATURATION + 1) * MILLIONTHS,
        SATURATION * (1 - LENGTH_SHARE),
        (SATURATION * LENGTH_SHARE) / averageLength,
        ...weights.map(([word]) => word),
        limit,
        userId,
        kind,
      ]
    )
    const rows: { ref_id: string; score: unknown }[] = result.rows ?? result
    return rows.map(({ ref_id: refId, score }) => ({ refId, score: Number(score) / MILLIONTHS }))
  }
}

export interface SearchInput {
  userId: string
  kind: DocumentKind
  words: string[]
  limit: number
}

/** BM25's inverse document frequency, in the form that is never negative. */
const rarity = (documents: number, held: number) =>
  Math.log(1 + Math.max(documents - held + 0.5, 0.5) / (held + 0.5))

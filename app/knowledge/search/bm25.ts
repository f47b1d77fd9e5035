import db from '@adonisjs/lucid/services/db'

/** A word of a query. */
export interface QueryWord {
  /** The number that the owner's key makes of the word. */
  word: number
  /** Documents that contain it. */
  held: number
}

/** Size of the searched collection. */
export interface CollectionSize {
  documents: number
  /** Words in all. */
  words: number
}

export interface RankedDocument {
  documentId: number
  /** In millionths. */
  score: number
}

interface WeighedWord extends QueryWord {
  weight: number
}

/** The usual parameters of BM25. */
const SATURATION = 1.2
const LENGTH_SHARE = 0.75

/** Scores are summed as integer millionths, so that both databases get the same sum in any order. */
export const MILLIONTHS = 1_000_000

/** Share of its weight that a word adds to most documents that contain it: less only where they are long. */
const USUAL_SHARE = 0.7

/** The most that a word adds to any document, in millionths: its weight times this, and what rounding adds. */
const MOST_SHARE = (SATURATION + 1) * MILLIONTHS
const ROUNDING = 1

/**
 * Ranks the documents with any of the words by BM25: best first, the newest first among equals.
 *
 * Most documents contain only the commonest words of a query and are far from the best. So it first ranks the documents
 * with one of the rarer words, and looks the common ones up in those alone. That is exact if the last of the best has a
 * higher score than common words can give; else it ranks all.
 */
export async function ranked(
  words: QueryWord[],
  size: CollectionSize,
  limit: number
): Promise<RankedDocument[]> {
  const weighed = words
    .map((word) => ({ ...word, weight: rarity(size.documents, word.held) }))
    .toSorted((one, other) => one.held - other.held)
  const averageLength = size.words / Math.max(size.documents, 1)
  const leading = leadingOf(weighed, limit)
  const best = await rankedBy(weighed, leading, averageLength, limit)
  const isExact =
    leading === weighed.length ||
    (best.length === limit && best.at(-1)!.score > mostOf(weighed.slice(leading)))
  return isExact ? best : rankedBy(weighed, weighed.length, averageLength, limit)
}

/** BM25's inverse document frequency, in the form that is never negative. */
const rarity = (documents: number, held: number) =>
  Math.log(1 + Math.max(documents - held + 0.5, 0.5) / (held + 0.5))

/** The highest score of a document that contains only these words. */
const mostOf = (words: WeighedWord[]) =>
  words.reduce((sum, { weight }) => sum + weight * MOST_SHARE + ROUNDING, 0)

/** Returns how many words, the rarest first, probably suffice to find the best documents. */
function leadingOf(words: WeighedWord[], limit: number): number {
  let held = 0
  for (const [index, word] of words.entries()) {
    held += word.held
    const usual = word.weight * USUAL_SHARE * MILLIONTHS
    if (held >= limit && usual > mostOf(words.slice(index + 1))) return index + 1
  }
  return words.length
}

/** Ranks the documents with one of the leading words, by all words. */
async function rankedBy(
  words: WeighedWord[],
  leading: number,
  averageLength: number,
  limit: number
): Promise<RankedDocument[]> {
  const lead = scores(words.slice(0, leading), averageLength)
  const rest = scores(words.slice(leading), averageLength)
  const result = await db.rawQuery(
    leading === words.length
      ? `select document_id, cast(sum(score) as bigint) as score
         from (select document_id, ${lead.sql} as score from search_words where word in (${lead.places})) as scored
         group by document_id order by score desc, document_id desc limit ?`
      : `with candidates as (
           select document_id, sum(${lead.sql}) as score from search_words
           where word in (${lead.places}) group by document_id
         )
         select document_id, cast(sum(score) as bigint) as score
         from (
           select document_id, score from candidates
           union all
           select search_words.document_id, ${rest.sql}
           from candidates cross join search_words
           where search_words.document_id = candidates.document_id and word in (${rest.places})
         ) as scored
         group by document_id order by score desc, document_id desc limit ?`,
    [...lead.bindings, ...(leading === words.length ? [] : rest.bindings), limit]
  )
  const rows: { document_id: number; score: unknown }[] = result.rows ?? result
  return rows.map(({ document_id: documentId, score }) => ({ documentId, score: Number(score) }))
}

/** SQL for what one of the words adds to a document's score, and its bindings, followed by those of the places. */
function scores(words: WeighedWord[], averageLength: number) {
  const cases = words.map(() => 'when ? then cast(? as double precision)').join(' ')
  return {
    sql: `cast(round(
      (case word ${cases} end) * frequency * cast(? as double precision) /
      (frequency + cast(? as double precision) + cast(? as double precision) * length)
    ) as bigint)`,
    places: words.map(() => '?').join(', '),
    bindings: [
      ...words.flatMap(({ word, weight }) => [word, weight]),
      MOST_SHARE,
      SATURATION * (1 - LENGTH_SHARE),
      (SATURATION * LENGTH_SHARE) / averageLength,
      ...words.map(({ word }) => word),
    ],
  }
}

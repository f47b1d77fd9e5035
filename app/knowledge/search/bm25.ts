import db from '@adonisjs/lucid/services/db'

/** A word of a query. */
export interface QueryWord {
  /** The number that the owner's key makes of the word. */
  word: number
  /** Documents that contain it, counted up to the search's limit. */
  held: number
  /** The most often that one of them contains it. */
  mostFrequent: number
  /** Words in the shortest of them. */
  shortest: number
}

/** The words to rank by. */
export interface ChosenWords {
  words: QueryWord[]
  /** The oldest document to rank; null for all. */
  since: number | null
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
  /** At least what the word adds to any document, in millionths. */
  most: number
}

/** The usual parameters of BM25. */
const SATURATION = 1.2
const LENGTH_SHARE = 0.75

/**
 * Scores are summed as integer millionths, so that both databases get the same sum in any order. They fit 32 bits, of
 * which PostgreSQL sums many faster, and in less memory, than of 64.
 */
export const MILLIONTHS = 1_000_000

/** The most that a word adds to a document for its weight, in millionths. */
const MOST_SHARE = (SATURATION + 1) * MILLIONTHS

/**
 * Share of its weight that a word is expected to add to the last of the best documents. It decides how much is ranked
 * at first, not what is found.
 */
const EXPECTED_SHARE = 1

/** What rounding adds to a word's part of a score at most. */
const ROUNDING = 1

/**
 * Ranks the documents with any of the words by BM25: best first, the newest first among equals.
 *
 * Most documents contain only the commonest words of a query and are far from the best. So it first ranks the documents
 * with one of the rarer words, and looks the common ones up only in those that they could make one of the best. That is
 * exact if the last of the best has a higher score than common words can give; else it ranks all.
 */
export async function ranked(
  { words, since }: ChosenWords,
  size: CollectionSize,
  limit: number
): Promise<RankedDocument[]> {
  const averageLength = size.words / Math.max(size.documents, 1)
  const weighed = words
    .map((word) => weighedWord(word, size.documents, averageLength))
    .toSorted((one, other) => one.held - other.held)
  const leading = leadingOf(weighed, limit)
  const best = await rankedBy(weighed, { leading, since, averageLength, limit })
  const isExact =
    leading === weighed.length ||
    (best.length === limit && best.at(-1)!.score > mostOf(weighed.slice(leading)))
  if (isExact) return best
  return rankedBy(weighed, { leading: weighed.length, since, averageLength, limit })
}

function weighedWord(word: QueryWord, documents: number, averageLength: number): WeighedWord {
  const { held, mostFrequent, shortest } = word
  const weight = rarity(documents, held)
  const { base, perWord } = damping(averageLength)
  const most = (weight * MOST_SHARE * mostFrequent) / (mostFrequent + base + perWord * shortest)
  return { ...word, weight, most: Math.ceil(most) + ROUNDING }
}

/** How much a document's length in words dampens the frequency of a word in it. */
const damping = (averageLength: number) => ({
  base: SATURATION * (1 - LENGTH_SHARE),
  perWord: (SATURATION * LENGTH_SHARE) / averageLength,
})

/** BM25's inverse document frequency, in the form that is never negative. */
const rarity = (documents: number, held: number) =>
  Math.log(1 + Math.max(documents - held + 0.5, 0.5) / (held + 0.5))

/** The highest score of a document that contains only these words. */
const mostOf = (words: WeighedWord[]) => words.reduce((sum, { most }) => sum + most, 0)

/** Returns how many words, the rarest first, probably suffice to find the best documents. */
function leadingOf(words: WeighedWord[], limit: number): number {
  let held = 0
  for (const [index, word] of words.entries()) {
    held += word.held
    const expected = word.weight * EXPECTED_SHARE * MILLIONTHS
    if (held >= limit && expected > mostOf(words.slice(index + 1))) return index + 1
  }
  return words.length
}

interface Ranking {
  /** How many words lead. */
  leading: number
  since: number | null
  averageLength: number
  limit: number
}

/** Ranks the documents with one of the leading words, by all words. */
async function rankedBy(words: WeighedWord[], ranking: Ranking): Promise<RankedDocument[]> {
  const { leading, limit } = ranking
  const rest = words.slice(leading)
  const { sql, bindings } =
    rest.length === 0 ? byAll(words, ranking) : byLeading(words.slice(0, leading), rest, ranking)
  const result = await db.rawQuery(
    `${sql} group by document_id order by score desc, document_id desc limit ?`,
    [...bindings, limit]
  )
  const rows: { document_id: number; score: unknown }[] = result.rows ?? result
  return rows.map(({ document_id: documentId, score }) => ({ documentId, score: Number(score) }))
}

interface Statement {
  sql: string
  bindings: number[]
}

/** Scores all documents with one of the words. */
function byAll(words: WeighedWord[], { averageLength, since }: Ranking): Statement {
  const all = scores(words, averageLength)
  const recent = newerThan(since)
  return {
    sql: `select document_id, sum(score) as score
      from (
        select document_id, ${all.sql} as score from search_words
        where word in (${all.places}) ${recent.sql}
      ) as scored`,
    bindings: [...all.bindings, ...recent.bindings],
  }
}

/** Scores documents with a leading word, except those that cannot be among the best even with all other words. */
function byLeading(
  leading: WeighedWord[],
  rest: WeighedWord[],
  { averageLength, since, limit }: Ranking
): Statement {
  const recent = newerThan(since)
  const lead = scores(leading, averageLength)
  const others = scores(rest, averageLength)
  return {
    sql: `with candidates as (
        select document_id, cast(sum(${lead.sql}) as integer) as score from search_words
        where word in (${lead.places}) ${recent.sql} group by document_id
      ),
      hopeful as (
        select document_id, score from candidates
        where score + ? >= coalesce((select score from candidates order by score desc limit 1 offset ?), 0)
      )
      select document_id, sum(score) as score
      from (
        select document_id, score from hopeful
        union all
        select search_words.document_id, ${others.sql}
        from hopeful cross join search_words
        where search_words.document_id = hopeful.document_id and word in (${others.places})
      ) as scored`,
    bindings: [...lead.bindings, ...recent.bindings, mostOf(rest), limit - 1, ...others.bindings],
  }
}

const newerThan = (since: number | null): Statement =>
  since === null ? { sql: '', bindings: [] } : { sql: 'and document_id >= ?', bindings: [since] }

/** Returns SQL for the score that a word adds to a document. Its bindings end with those of `places`, the words. */
function scores(words: WeighedWord[], averageLength: number): Statement & { places: string } {
  const cases = words.map(() => 'when ? then cast(? as double precision)').join(' ')
  const { base, perWord } = damping(averageLength)
  return {
    sql: `cast(round(
      (case word ${cases} end) * frequency * cast(? as double precision) /
      (frequency + cast(? as double precision) + cast(? as double precision) * length)
    ) as integer)`,
    places: words.map(() => '?').join(', '),
    bindings: [
      ...words.flatMap(({ word, weight }) => [word, weight]),
      MOST_SHARE,
      base,
      perWord,
      ...words.map(({ word }) => word),
    ],
  }
}

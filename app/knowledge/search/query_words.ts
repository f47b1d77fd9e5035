import db from '@adonisjs/lucid/services/db'
import type { ChosenWords, QueryWord } from '#knowledge/search/bm25'

/** Limits of what one search reads of the index, because agents decide how many documents hold a word. */
export interface SearchLimits {
  /** Maximum documents counted per word. A more common word, used if there is no rarer one, ranks only the newest. */
  held: number
  /** Maximum documents ranked, summed over all words. */
  postings: number
}

export const SEARCH_LIMITS: SearchLimits = { held: 50_000, postings: 200_000 }

/** Query words used for ranking: of a longer text, only the rarest. */
const MOST_WORDS = 16

/** Documents up to which words are counted to find the rarest of many. */
const COUNTED_FIRST = 2000

interface CountedWord extends QueryWord {
  /** The oldest document that was counted. */
  oldest: number
}

/**
 * Chooses the words to rank by, of those that any document contains: the rarest. Words that more documents hold than
 * the limit count only if there are no others, and then only in the newest documents.
 */
export async function chosenWords(numbers: number[], limits: SearchLimits): Promise<ChosenWords> {
  const first = Math.min(COUNTED_FIRST, limits.held)
  const counted = (await countedWords(numbers, first)).toSorted(byRarity).slice(0, MOST_WORDS)
  const common = counted.filter(({ held }) => held > first).map(({ word }) => word)
  const recounted = common.length > 0 ? await countedWords(common, limits.held) : []
  const all = [...counted.filter(({ held }) => held <= first), ...recounted].toSorted(byRarity)
  const rare = all.filter(({ held }) => held <= limits.held)
  const words = affordable(rare.length > 0 ? rare : all, limits)
  const since = rare.length > 0 ? null : Math.max(0, ...words.map(({ oldest }) => oldest))
  return { words, since }
}

const byRarity = (one: QueryWord, other: QueryWord) =>
  one.held - other.held || one.word - other.word

/** Returns the first words, as many as the limit allows, and at least one. */
function affordable(words: CountedWord[], { postings }: SearchLimits): CountedWord[] {
  let sum = 0
  return words.filter(({ held }, index) => (sum += held) <= postings || index === 0)
}

/**
 * Describes the documents that contain each word, the newest first and one more than `most`. Omits words without any.
 */
async function countedWords(words: number[], most: number): Promise<CountedWord[]> {
  const each = `select cast(? as bigint) as word, count(*) as held, max(frequency) as most_frequent,
      min(length) as shortest, min(document_id) as oldest
    from (
      select document_id, frequency, length from search_words
      where word = ? order by document_id desc limit ?
    ) as newest`
  const result = await db.rawQuery(
    words.map(() => each).join(' union all '),
    words.flatMap((word) => [word, word, most + 1])
  )
  const rows: Record<string, unknown>[] = result.rows ?? result
  return rows
    .map((row) => ({
      word: Number(row.word),
      held: Number(row.held),
      mostFrequent: Number(row.most_frequent),
      shortest: Number(row.shortest),
      oldest: Number(row.oldest),
    }))
    .filter(({ held }) => held > 0)
}

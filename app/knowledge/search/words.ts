import { folded } from '#models/folded'

/** Words are cut to this many characters: longer ones are URLs and keys, found by their beginning. */
const LONGEST_WORD = 64

const WORDS = new Intl.Segmenter('en', { granularity: 'word' })

/**
 * Returns a text's words in order, without case and accents. Scripts without spaces are segmented by a
 * dictionary.
 */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const { segment, isWordLike } of WORDS.segment(folded(text))) {
    if (isWordLike) words.push(segment.slice(0, LONGEST_WORD))
  }
  return words
}

/** Counts the occurrences of each word. */
export function countsOf(words: string[], counts = new Map<string, number>()): Map<string, number> {
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** Returns the similarity of two texts, from 0 to 1: words in both divided by words in either. */
export function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const either = one.union(other).size
  return either === 0 ? 0 : one.intersection(other).size / either
}

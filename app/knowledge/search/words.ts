import { folded } from '#models/folded'

/** What people and models write down; longer words are addresses and keys, found by their beginning. */
const LONGEST_WORD = 64

const WORDS = new Intl.Segmenter('en', { granularity: 'word' })

/** The words of a text in its order, without case and accents. Scripts without spaces are cut by a dictionary. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  for (const { segment, isWordLike } of WORDS.segment(folded(text))) {
    if (isWordLike) words.push(segment.slice(0, LONGEST_WORD))
  }
  return words
}

/** How often each word occurs. */
export function countsOf(words: string[], counts = new Map<string, number>()): Map<string, number> {
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

/** How much of two texts is the same: words in both by words in either, from 0 to 1. */
export function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const either = one.union(other).size
  return either === 0 ? 0 : one.intersection(other).size / either
}

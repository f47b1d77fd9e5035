import type { Match } from '#knowledge/search/word_index'

/** How a finding was found. */
export const FOUND_BY = ['words', 'meaning', 'both'] as const
export type FoundBy = (typeof FOUND_BY)[number]

export type RankedMatch = Match & { foundBy: FoundBy }

/** The usual constant: the first ranks count nearly alike, so that one list's favourite does not decide alone. */
const DAMPING = 60

/**
 * Merges two rankings, each best first, by reciprocal rank: their scores do not compare, but their ranks do. Of
 * equals, what was found by words comes first.
 */
export function mergedByRank(words: Match[], meaning: Match[]): RankedMatch[] {
  const merged = new Map<string, RankedMatch>()
  words.forEach(({ refId }, rank) => {
    merged.set(refId, { refId, score: share(rank), foundBy: 'words' })
  })
  meaning.forEach(({ refId }, rank) => {
    const found = merged.get(refId)
    const score = (found?.score ?? 0) + share(rank)
    merged.set(refId, { refId, score, foundBy: found ? 'both' : 'meaning' })
  })
  return [...merged.values()].toSorted((one, other) => other.score - one.score)
}

const share = (rank: number) => 1 / (DAMPING + rank + 1)

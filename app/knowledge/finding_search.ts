import Finding from '#models/finding'
import type { DataKeys } from '#knowledge/data_keys'
import { correctedBy, findingView, holds, type FindingView } from '#knowledge/finding_view'
import type { FindingVectors } from '#knowledge/search/finding_vectors'
import { mergedByRank, type FoundBy, type RankedMatch } from '#knowledge/search/reciprocal_rank'
import { likeness, wordsOf } from '#knowledge/search/words'
import type { Match, WordIndex } from '#knowledge/search/word_index'
import type { DataCipher } from '#vaults/data_cipher'

/** Similarity at which two findings count as nearly the same. */
const NEARLY_THE_SAME = 0.7

/** Matches compared with a new finding. */
const COMPARED = 5

/** Extra matches to read, because some may have expired. */
const MORE_MATCHES = 20

/** A match with its score, comparable only within one search. */
export type FoundFinding = FindingView & { score: number; foundBy: FoundBy }

/** Searches one owner's findings: by words, and by meaning for an owner with an embedding model. */
export class FindingSearch {
  constructor(
    protected keys: DataKeys,
    protected index: WordIndex,
    protected vectors: FindingVectors
  ) {}

  /** Searches current findings that have not expired, best match first. */
  async search(userId: string, query: string, limit: number): Promise<FoundFinding[]> {
    const cipher = await this.keys.find(userId)
    if (!cipher) return []
    const matches = await this.#ranked(userId, cipher, query, limit + MORE_MATCHES)
    const rows = await current(userId, matches)
    const found = matches
      .flatMap(({ refId, ...match }) => {
        const row = rows.get(refId)
        return row ? [{ row, match }] : []
      })
      .slice(0, limit)
    const corrected = await correctedBy(
      userId,
      found.map(({ row }) => row)
    )
    return found.map(({ row, match }) => ({
      ...findingView(row, cipher, corrected.get(row.id) ?? null),
      ...match,
    }))
  }

  /** Returns the stored finding that says nearly the same as a new one, if there is one; `supersedes` aside. */
  async similarTo(
    userId: string,
    cipher: DataCipher,
    { title, body, supersedes }: { title: string; body: string; supersedes?: string | null }
  ): Promise<FindingView | null> {
    const words = wordsOf(`${title}\n${body}`)
    const matches = await this.index.search(cipher, {
      userId,
      kind: 'finding',
      words,
      limit: COMPARED,
    })
    const rows = [...(await current(userId, matches)).values()].filter(
      ({ id }) => id !== supersedes
    )
    const corrected = await correctedBy(userId, rows)
    const own = new Set(words)
    const near = rows
      .map((row) => findingView(row, cipher, corrected.get(row.id) ?? null))
      .map((view) => ({ view, share: likeness(own, wordSet(view)) }))
      .filter(({ share }) => share >= NEARLY_THE_SAME)
      .toSorted((one, other) => other.share - one.share)
    return near[0]?.view ?? null
  }

  async #ranked(
    userId: string,
    cipher: DataCipher,
    query: string,
    limit: number
  ): Promise<RankedMatch[]> {
    const [words, meaning] = await Promise.all([
      this.index.search(cipher, { userId, kind: 'finding', words: wordsOf(query), limit }),
      this.vectors.nearest(userId, cipher, query, limit),
    ])
    return meaning
      ? mergedByRank(words, meaning)
      : words.map((match) => ({ ...match, foundBy: 'words' as const }))
  }
}

/** Returns the matches that are current and have not expired, by their ids. */
async function current(userId: string, matches: Match[]): Promise<Map<string, Finding>> {
  if (matches.length === 0) return new Map()
  const ids = matches.map(({ refId }) => refId)
  const rows = await Finding.ownedBy(userId).whereIn('id', ids)
  return new Map(rows.filter(holds).map((row) => [row.id, row]))
}

const wordSet = ({ title, body }: FindingView) => new Set(wordsOf(`${title}\n${body}`))

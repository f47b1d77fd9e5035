import { Child } from '../child.js'
import { newInstallation } from '../environment.js'
import { median, percentile, result, type Result } from '../result.js'
import { PrivatePostgres } from '../../tests/runner/postgres.mjs'

const FINDINGS = 100_000
const MOST_RATIO = 3

/** Times of the same queries in milliseconds, and how many of them found something. */
export interface SearchTimes {
  own: number[]
  plain: number[]
  found: number
}

/** Shares of the questions whose answer is among the first five. */
export interface Recall {
  words: number
  hybrid: number
  questions: number
}

/** Measures what searches find, and how long they take over one owner's many findings, on both databases. */
export async function searchGroup(): Promise<Result[]> {
  const postgres = new PrivatePostgres()
  try {
    await postgres.start()
    return [
      ...(await recall()),
      await speed('search.p95', 'FTS5'),
      await speed('search.p95.postgres', 'tsvector', await postgres.newDatabase('mosaic_bench')),
    ]
  } finally {
    await postgres.stop()
  }
}

/** Informative only: the questions are few, and the embedding double knows no language. */
async function recall(): Promise<Result[]> {
  return withProcess('search_recall', [], undefined, async (child) => {
    const { words, hybrid, questions } = await child.ask<Recall>('recall')
    const unit = 'at 5'
    return [
      result({
        id: 'search.recall',
        unit,
        value: words,
        note: `by words alone: ${questions} questions about Mosaic's documentation, as many answers`,
      }),
      result({
        id: 'search.recall.hybrid',
        unit,
        value: hybrid,
        baseline: words,
        note: 'by words, and by vectors of a double that hashes pieces of words',
      }),
    ]
  })
}

async function speed(id: string, plainName: string, databaseUrl?: string): Promise<Result> {
  return withProcess('search', [String(FINDINGS)], databaseUrl, async (child) => {
    const times = await child.ask<SearchTimes>('search')
    const value = percentile(times.own, 0.95)
    const baseline = percentile(times.plain, 0.95)
    return result({
      id,
      unit: 'ms',
      value,
      baseline,
      target: `<= ${MOST_RATIO} x ${plainName}, unsealed`,
      ok: value <= MOST_RATIO * baseline && times.found === times.own.length,
      note:
        `${FINDINGS} sealed findings of one owner, ${times.own.length} queries; ` +
        `median ${median(times.own).toFixed(1)} ms against ${median(times.plain).toFixed(1)} ms`,
    })
  })
}

/** Runs a process of the bench with an installation of its own. */
async function withProcess<Answer>(
  name: string,
  args: string[],
  databaseUrl: string | undefined,
  use: (child: Child<object>) => Promise<Answer>
): Promise<Answer> {
  const own = await newInstallation(databaseUrl)
  try {
    const child = await Child.start<object>(name, { args, env: own.env })
    try {
      return await use(child)
    } finally {
      await child.stop()
    }
  } finally {
    own.remove()
  }
}

import type { AgentRow } from '#agents/types'

/** After the first failure; short, because most failures are a moment's. */
const FIRST_MS = 5000
/** Longer would look dead to its owner, who can start it at any time all the same. */
export const LONGEST_BACK_OFF_MS = 5 * 60_000

/**
 * Milliseconds until an agent that failed that many times in a row may be started again by itself. It
 * doubles with each failure; half of it is chance, so that agents that failed together do not come
 * back together.
 */
export function backOffMs(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_BACK_OFF_MS, FIRST_MS * 2 ** Math.max(0, failures - 1))
  return Math.round(full / 2 + (full / 2) * random())
}

/** One that ran for so long before it crashed was well: milliseconds. */
const WELL_AFTER_MS = 10 * 60_000
/** After so many in a row another start would end like the ones before. Only a person tries again. */
export const MOST_CRASHES = 5

/** What a crash does to the row of an agent that ran: the first one is forgiven at once. */
export function afterCrash(
  { crashCount, startedAt }: Pick<AgentRow, 'crashCount' | 'startedAt'>,
  now: number,
  random: () => number
): { crashCount: number; retryAt: number | null } {
  const wasWell = startedAt !== null && now - startedAt.toMillis() >= WELL_AFTER_MS
  const count = wasWell ? 1 : crashCount + 1
  return { crashCount: count, retryAt: count === 1 ? null : now + backOffMs(count - 1, random) }
}

/** Whether the agent is not started any more unless a person asks for it. */
export function isCrashLoop({ crashCount }: Pick<AgentRow, 'crashCount'>): boolean {
  return crashCount >= MOST_CRASHES
}

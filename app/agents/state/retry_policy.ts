import type { AgentRow } from '#agents/types'

/** After the first failure; short, because most failures are transient. */
const FIRST_MS = 5000
/** A longer wait would look dead to the owner, who can nevertheless start it at any time. */
export const LONGEST_BACK_OFF_MS = 5 * 60_000

/**
 * Returns the milliseconds before an agent may restart by itself after this many failures in a row. The
 * delay doubles with each failure; half of it is random, so that agents that failed together do not
 * return together.
 */
export function backOffMs(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_BACK_OFF_MS, FIRST_MS * 2 ** Math.max(0, failures - 1))
  return Math.round(full / 2 + (full / 2) * random())
}

/** An agent that ran this long before a crash counts as healthy; milliseconds. */
const WELL_AFTER_MS = 10 * 60_000
/** After this many crashes in a row another start would end the same way. Only a person retries. */
export const MOST_CRASHES = 5

/** Returns a crash's effect on the row of a running agent. The first crash is forgiven at once. */
export function afterCrash(
  { crashCount, startedAt }: Pick<AgentRow, 'crashCount' | 'startedAt'>,
  now: number,
  random: () => number
): { crashCount: number; retryAt: number | null } {
  const wasWell = startedAt !== null && now - startedAt.toMillis() >= WELL_AFTER_MS
  const count = wasWell ? 1 : crashCount + 1
  return { crashCount: count, retryAt: count === 1 ? null : now + backOffMs(count - 1, random) }
}

/** Whether the agent no longer starts unless a person asks. */
export function isCrashLoop({ crashCount }: Pick<AgentRow, 'crashCount'>): boolean {
  return crashCount >= MOST_CRASHES
}

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

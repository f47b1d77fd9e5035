import { writeFileSync } from 'node:fs'
import type { Runner } from '@japa/runner/core'

/**
 * Leaves what a run counted in the file that `MOSAIC_TEST_TALLY` names, for `tests/run.mjs`, which sums
 * over the suites.
 */
export function writeTally(runner: Runner): void {
  const file = process.env.MOSAIC_TEST_TALLY
  if (!file) return
  const { aggregates, failedTestsTitles } = runner.getSummary()
  const { passed, failed } = aggregates
  writeFileSync(file, JSON.stringify({ passed, failed, errors: failedTestsTitles }))
}

import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import app from '@adonisjs/core/services/app'
import type { Runner } from '@japa/runner/core'
import type { PluginFn } from '@japa/runner/types'

/** When the first group of each spec file started and its last one ended (ms since 1970). */
const files = new Map<string, { from: number; to: number }>()

/** Measures spec files for `npm test -- --timings`. Groups run one after another. */
export const measureFiles: PluginFn = ({ emitter }) => {
  let startedAt = 0
  emitter.on('group:start', () => void (startedAt = Date.now()))
  emitter.on('group:end', ({ meta }) => {
    const file = relative(app.makePath(), meta.fileName ?? '')
    files.set(file, { from: files.get(file)?.from ?? startedAt, to: Date.now() })
  })
}

/**
 * Leaves what a run counted in the file that `MOSAIC_TEST_TALLY` names, for `tests/run.mjs`, which sums
 * over the suites.
 */
export function writeTally(runner: Runner): void {
  const file = process.env.MOSAIC_TEST_TALLY
  if (!file) return
  const { aggregates, failedTestsTitles } = runner.getSummary()
  const { passed, failed } = aggregates
  const spans = [...files].map(([name, span]) => ({ file: name, ...span }))
  const tally = { passed, failed, errors: failedTestsTitles, files: spans }
  writeFileSync(file, JSON.stringify(tally))
}

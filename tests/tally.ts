import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import app from '@adonisjs/core/services/app'
import type { Runner } from '@japa/runner/core'
import type { PluginFn } from '@japa/runner/types'

/** Milliseconds that the groups of each spec file took, with what they set up and tore down. */
const files = new Map<string, number>()

/** Measures spec files for `npm test -- --timings`. Groups run one after another. */
export const measureFiles: PluginFn = ({ emitter }) => {
  let startedAt = 0
  emitter.on('group:start', () => void (startedAt = performance.now()))
  emitter.on('group:end', ({ meta }) => {
    const file = relative(app.makePath(), meta.fileName ?? '')
    files.set(file, (files.get(file) ?? 0) + performance.now() - startedAt)
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
  const tally = { passed, failed, errors: failedTestsTitles, files: [...files] }
  writeFileSync(file, JSON.stringify(tally))
}

import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import app from '@adonisjs/core/services/app'
import type { Runner } from '@japa/runner/core'
import type { PluginFn } from '@japa/runner/types'

/** When the first group of each spec file started and its last one ended (ms since 1970). */
const files = new Map<string, { from: number; to: number }>()

/** Characters of an error's beginning and end: a command's failure ends with what it printed last. */
const TOLD = { first: 300, last: 700 }

/** A failed case each: its title and its first error. */
const failures: string[] = []

/** Notes when each spec file ran and what failed, for `tests/run.mjs`. Groups run one after another. */
export const noteResults: PluginFn = ({ emitter }) => {
  emitter.on('test:end', ({ title, hasError, errors }) => {
    if (hasError) failures.push(`${title.expanded}: ${shortened(errors[0]?.error)}`)
  })
  let startedAt = 0
  emitter.on('group:start', () => void (startedAt = Date.now()))
  emitter.on('group:end', ({ meta }) => {
    const file = relative(app.makePath(), meta.fileName ?? '')
    files.set(file, { from: files.get(file)?.from ?? startedAt, to: Date.now() })
  })
}

function shortened(error: Error | undefined): string {
  const text = stripVTControlCharacters(error?.message ?? String(error)).replaceAll(/\s+/g, ' ')
  if (text.length <= TOLD.first + TOLD.last) return text
  return `${text.slice(0, TOLD.first)} … ${text.slice(-TOLD.last)}`
}

/**
 * Leaves what a run counted in the file that `MOSAIC_TEST_TALLY` names, for `tests/run.mjs`, which sums
 * over the suites.
 */
export function writeTally(runner: Runner): void {
  const file = process.env.MOSAIC_TEST_TALLY
  if (!file) return
  const { passed, failed } = runner.getSummary().aggregates
  const spans = [...files].map(([name, span]) => ({ file: name, ...span }))
  const tally = { passed, failed, errors: failures, files: spans }
  writeFileSync(file, JSON.stringify(tally))
}

import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { compile } from '../../chaos/compiled.js'

/** Fixed, so that failures can be reproduced. `npm run chaos` without a seed draws a new one each time. */
const SEED = 20261125

/** A minute on a machine that does nothing else; a busy one needs some seconds for each replica that starts. */
const DEADLINE_MS = 420_000

/** What a run takes to end everything. */
const ENDING_MS = 20_000

interface Run {
  driver: string
  rounds: number
  faults: string
}

/** @param build A folder with compiled Mosaic. */
async function chaos(run: Run, build: string): Promise<Record<string, number>> {
  const options = { ...run, seed: SEED, build }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
  /** It ends its agents then, and tells how far it came. */
  const where = { cwd: app.makePath(), timeout: DEADLINE_MS - ENDING_MS }
  const { stdout } = await promisify(execFile)(
    'npm',
    ['run', '-s', 'chaos', '--', ...flags, '--json'],
    where
  )
  return JSON.parse(stdout)
}

/** What must hold for replicas of Mosaic, wherever their agents run. */
export function chaosRun(title: string, run: Run): void {
  test.group(title, (group) => {
    let build: string

    group.setup(() => {
      build = compile()
      return () => rmSync(build, { recursive: true, force: true })
    })

    test('leave no agent lost, doubled, forgotten or without a reason', async ({ assert }) => {
      const { orphans, doubles, lost, unexplained, healMs } = await chaos(run, build)
      const found = { orphans, doubles, lost, unexplained }
      assert.deepEqual(found, { orphans: 0, doubles: 0, lost: 0, unexplained: 0 })
      assert.isAtMost(healMs, 10_000)
    }).timeout(DEADLINE_MS)
  })
}

import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { compile } from '../../bench/compiled.js'

/** Fixed, so that failures can be reproduced. `npm run chaos` without a seed draws a new one each time. */
const SEED = 20261125

/** A busy machine needs some seconds for each replica that starts. */
const DEADLINE_MS = 240_000

interface Run {
  driver: string
  rounds: number
  faults: string
}

/** @param build A folder with compiled Mosaic. */
async function chaos(
  { driver, rounds, faults }: Run,
  build: string
): Promise<Record<string, number>> {
  const options = { seed: SEED, rounds, driver, faults, build }
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
  const where = { cwd: app.makePath(), timeout: DEADLINE_MS }
  const { stdout } = await promisify(execFile)(
    'npm',
    ['run', '-s', 'chaos', '--', ...flags, '--json'],
    where
  )
  return JSON.parse(stdout)
}

test.group('Replicas of Mosaic, when one is killed or what they stand on is restarted', (group) => {
  let build: string

  group.setup(() => {
    build = compile('tsconfig.json')
    return () => rmSync(build, { recursive: true, force: true })
  })
  group.each.timeout(DEADLINE_MS)

  test('leave no agent lost, doubled, forgotten or without a reason: {driver}, {faults}')
    .with([
      { driver: 'memory', rounds: 8, faults: 'kill,kill,database,clock' },
      { driver: 'process', rounds: 6, faults: 'kill' },
    ])
    .run(async ({ assert }, run) => {
      const { orphans, doubles, lost, unexplained, healMs } = await chaos(run, build)
      const found = { orphans, doubles, lost, unexplained }
      assert.deepEqual(found, { orphans: 0, doubles: 0, lost: 0, unexplained: 0 })
      assert.isAtMost(healMs, 10_000)
    })
})

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'

/** Always the same: what fails here fails again. `npm run chaos` without a seed draws another each time. */
const SEED = 20261125

/** A busy machine needs some seconds for each copy that it starts. */
const DEADLINE_MS = 240_000

async function chaos(driver: string, rounds: number): Promise<Record<string, number>> {
  const flags = ['--seed', `${SEED}`, '--rounds', `${rounds}`, '--driver', driver, '--json']
  const options = { cwd: app.makePath(), timeout: DEADLINE_MS }
  const { stdout } = await promisify(execFile)(
    'npm',
    ['run', '-s', 'chaos', '--', ...flags],
    options
  )
  return JSON.parse(stdout)
}

test.group('Copies of Mosaic that are killed', (group) => {
  group.each.timeout(DEADLINE_MS)

  test('in the middle of anything leave no agent lost, doubled or forgotten: {driver}')
    .with([
      { driver: 'memory', rounds: 6 },
      { driver: 'process', rounds: 6 },
    ])
    .run(async ({ assert }, { driver, rounds }) => {
      assert.deepEqual(await chaos(driver, rounds), {
        rounds,
        orphans: 0,
        doubles: 0,
        lost: 0,
        seed: SEED,
      })
    })
})

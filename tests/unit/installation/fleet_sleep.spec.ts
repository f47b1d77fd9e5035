import { test } from '@japa/runner'
import { command } from '../../../bin/setup/command.mjs'
import { fleetSleep } from '../../../bin/setup/fleet_sleep.mjs'

/** Runs a program that prints this and ends with this status. */
const printing = (text: string, status: number) => () =>
  command(process.execPath, ['-e', `console.log(${JSON.stringify(text)}); process.exit(${status})`])

const counts = (stopped: number, skipped: number, failed: number) =>
  JSON.stringify({ stopped, skipped, failed })

test.group('The agents at the end of the quickstart', () => {
  test('are told as asleep', async ({ assert }) => {
    assert.deepEqual(await fleetSleep(printing(counts(2, 0, 0), 0)), {
      words: '2 asleep',
      areAllAsleep: true,
    })
  })

  test('are told where some go on running, which is a failure of the command', async ({
    assert,
  }) => {
    const { words, areAllAsleep } = await fleetSleep(printing(counts(1, 2, 0), 1))
    assert.match(words, /^1 asleep, 2 still running: try "node ace fleet:reconcile"/)
    assert.isFalse(areAllAsleep)
  })

  test('end it with what the command said where it failed', async ({ assert }) => {
    await assert.rejects(() => fleetSleep(printing(counts(1, 0, 1), 1)), /"failed":1/)
    await assert.rejects(() => fleetSleep(printing('E_DATABASE_UNREACHABLE', 1)), /E_DATABASE/)
  })
})

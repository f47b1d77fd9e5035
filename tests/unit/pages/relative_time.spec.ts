import { test } from '@japa/runner'
import { rounded } from '../../../inertia/locales/relative_time.js'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

test.group('Times told from now', () => {
  test('never reach the next unit in their own: {0}')
    .with([
      [59 * MINUTE + 45, 1, 'hour'],
      [59 * MINUTE + 15, 59, 'minute'],
      [23 * HOUR + 50 * MINUTE, 1, 'day'],
      [364 * DAY, 1, 'year'],
      [346 * DAY, 11, 'month'],
      [90, 2, 'minute'],
    ] as const)
    .run(({ assert }, [seconds, count, unit]) => {
      assert.deepEqual(rounded(seconds), [count, unit])
      assert.deepEqual(rounded(-seconds), [-count, unit])
    })

  test('have no unit below a minute', ({ assert }) => {
    assert.deepEqual(rounded(59), [59])
  })
})

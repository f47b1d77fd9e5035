import { test } from '@japa/runner'
import { errors } from '@adonisjs/limiter'
import { MinuteCounts } from '#identity/minute_counts'

function refusalOf(take: () => void): InstanceType<typeof errors.E_TOO_MANY_REQUESTS> {
  try {
    take()
  } catch (error) {
    if (error instanceof errors.E_TOO_MANY_REQUESTS) return error
  }
  throw new Error('It was not refused')
}

test.group('Counts of a minute', () => {
  test('refuse one too many of a key until the minute is over', ({ assert }) => {
    let now = 5000
    const counts = new MinuteCounts(() => now)
    const take = () => counts.take('one', 2)
    take()
    take()
    now += 10_500
    const refused = refusalOf(take)
    assert.deepInclude(refused.response, { limit: 2, consumed: 3, remaining: 0, availableIn: 50 })
    counts.take('another', 2)
    now += 49_500
    take()
  })

  test('keep to a limit that changes within the minute', ({ assert }) => {
    const counts = new MinuteCounts(() => 0)
    counts.take('one', 1)
    counts.take('one', 3)
    assert.throws(() => counts.take('one', 2))
  })
})

import { test } from '@japa/runner'
import { EventIds } from '#audit/event_ids'

test.group('Ids of audit events', () => {
  test('sort by time, also within a millisecond and when the clock steps back', ({ assert }) => {
    const times = [1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_001, 1_699_999_999_000]
    const ids = new EventIds(() => times.shift()!)
    const made = [ids.next(), ids.next(), ids.next(), ids.next()]
    assert.deepEqual(made, [...made].sort())
    assert.lengthOf(new Set(made), 4)
  })
})

import { test } from '@japa/runner'
import { dayOf, endOfDay, startOfDay } from '../../../inertia/composables/local_days.js'

test.group('Days of date fields', (group) => {
  group.each.setup(() => {
    const { TZ } = process.env
    return () => {
      if (TZ === undefined) delete process.env.TZ
      else process.env.TZ = TZ
    }
  })

  test('begin and end where their reader is: {zone}')
    .with([
      {
        zone: 'America/New_York',
        start: '2026-11-29T05:00:00.000Z',
        end: '2026-11-30T04:59:59.000Z',
      },
      { zone: 'Asia/Tokyo', start: '2026-11-28T15:00:00.000Z', end: '2026-11-29T14:59:59.000Z' },
      { zone: 'UTC', start: '2026-11-29T00:00:00.000Z', end: '2026-11-29T23:59:59.000Z' },
    ])
    .run(({ assert }, { zone, start, end }) => {
      process.env.TZ = zone
      assert.equal(startOfDay('2026-11-29'), start)
      assert.equal(endOfDay('2026-11-29'), end)
      assert.equal(dayOf(start), '2026-11-29')
      assert.equal(dayOf(end), '2026-11-29')
    })

  test('are as long as the clock makes them', ({ assert }) => {
    process.env.TZ = 'America/New_York'
    assert.equal(startOfDay('2026-11-01'), '2026-11-01T04:00:00.000Z')
    assert.equal(endOfDay('2026-11-01'), '2026-11-02T04:59:59.000Z')
  })

  test('are whole where the clock jumps at midnight: {zone}, {day}')
    .with([
      { zone: 'America/Santiago', day: '2026-09-05', end: '2026-09-06T03:59:59.000Z' },
      { zone: 'America/Santiago', day: '2026-09-06', end: '2026-09-07T02:59:59.000Z' },
      { zone: 'Africa/Cairo', day: '2026-04-23', end: '2026-04-23T21:59:59.000Z' },
      { zone: 'Africa/Cairo', day: '2026-04-24', end: '2026-04-24T20:59:59.000Z' },
      { zone: 'Asia/Beirut', day: '2026-03-29', end: '2026-03-29T20:59:59.000Z' },
      { zone: 'America/Havana', day: '2026-03-08', end: '2026-03-09T03:59:59.000Z' },
      { zone: 'America/Havana', day: '2026-10-31', end: '2026-11-01T03:59:59.000Z' },
    ])
    .run(({ assert }, { zone, day, end }) => {
      process.env.TZ = zone
      assert.equal(endOfDay(day), end)
      assert.equal(dayOf(end), day)
      assert.equal(dayOf(startOfDay(day)!), day)
    })

  test('are passed on as they are for the API to refuse', ({ assert }) => {
    assert.equal(startOfDay('12026-12-01'), '12026-12-01')
    assert.equal(endOfDay('12026-12-01'), '12026-12-01')
  })

  test('are none in an empty field', ({ assert }) => {
    assert.isUndefined(startOfDay(''))
    assert.isUndefined(endOfDay(''))
  })
})

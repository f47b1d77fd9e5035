import { test } from '@japa/runner'
import { hourOf, isUsual, withUse, type DaysOfUse } from '#agents/background/usual_hours'

const at = (text: string) => Date.parse(`${text}Z`)

test.group('Usual hours', () => {
  const used = (...times: string[]) =>
    times.reduce<DaysOfUse>((days, time) => withUse(days, at(time)) ?? days, {})

  test('are those with use on most of the last working days', ({ assert }) => {
    const days = used('2026-11-23T08:30', '2026-11-24T08:59', '2026-11-26T08:00')
    assert.isTrue(isUsual(days, at('2026-11-27T08:00')))
    assert.isFalse(isUsual(days, at('2026-11-27T09:00')))
    assert.isTrue(isUsual(days, at('2026-11-30T08:00')))
  })

  test('stop being usual for a person who stays away', ({ assert }) => {
    const days = used('2026-11-23T08:30', '2026-11-24T08:30', '2026-11-25T08:30')
    assert.isTrue(isUsual(days, at('2026-11-30T08:00')))
    assert.isFalse(isUsual(days, at('2026-12-01T08:00')))
  })

  test('differ between working days and weekends', ({ assert }) => {
    const days = used('2026-11-25T08:30', '2026-11-26T08:30', '2026-11-27T08:30')
    assert.isFalse(isUsual(days, at('2026-11-28T08:00')))
    const weekends = used('2026-11-14T10:00', '2026-11-15T10:00', '2026-11-22T10:00')
    assert.isTrue(isUsual(weekends, at('2026-11-28T10:00')))
    assert.isFalse(isUsual(weekends, at('2026-11-27T10:00')))
  })

  test('come of each hour once, and of no day that is too old to matter', ({ assert }) => {
    const days = used('2026-11-01T08:00', '2026-11-27T08:00', '2026-11-27T09:30')
    assert.deepEqual(days, { '2026-11-27': [8, 9] })
    assert.isNull(withUse(days, at('2026-11-27T08:45')))
    assert.equal(hourOf(at('2026-11-27T08:45')), at('2026-11-27T08:00'))
  })
})

import { test } from '@japa/runner'
import { changesBetween, withChanges } from '#identity/session_changes'

test.group('Changes of a session', () => {
  const start = { facts: { lastUsedAt: 1, confirmedAt: 1 }, flash: { error: 'no' }, list: [1] }
  const apply = (present: object, after: object) =>
    withChanges({ ...present }, changesBetween({ ...start }, { ...after }))

  test('leave what another request changed', ({ assert }) => {
    const used = { ...start, facts: { lastUsedAt: 2, confirmedAt: 1 } }
    const confirmed = { ...start, facts: { lastUsedAt: 1, confirmedAt: 2 }, more: { a: 1 } }
    const both = { ...confirmed, facts: { lastUsedAt: 2, confirmedAt: 2 } }
    assert.deepEqual(apply(confirmed, used), both)
    assert.deepEqual(apply(used, confirmed), both)
  })

  test('take values away, and put no part of one back that was taken away', ({ assert }) => {
    const { facts, ...without } = start
    assert.deepEqual(apply(start, without), without)
    const used = { ...start, facts: { ...facts, lastUsedAt: 2 }, list: [] }
    assert.deepEqual(apply(without, used), { ...without, list: [] })
  })

  test('change no object but the session, whatever names a form has', ({ assert }) => {
    const named = { flash: JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"a": 1}}') }
    const before = { flash: {} }
    const changed = withChanges(before, changesBetween(before, named))
    assert.isUndefined(({} as { polluted?: number }).polluted)
    assert.equal(JSON.stringify(changed), JSON.stringify(named))
  })

  test('are none where nothing differs', ({ assert }) => {
    assert.deepEqual(changesBetween({ ...start }, structuredClone(start)), [])
  })
})

import { test } from '@japa/runner'
import { LeaseManager, HELD, type LeaseStore } from '#agents/leases/lease_manager'
import { TestClock } from '#tests/doubles/test_clock'

/** Rows of which no other replica ever holds one. */
const nobodyElse: LeaseStore = {
  take: async () => 1,
  renew: async () => [],
  giveBack: async () => {},
  expired: async () => [],
}

function newLeases(store: LeaseStore = nobodyElse) {
  return new LeaseManager(store, {
    clock: new TestClock(),
    random: () => 0.5,
    logger: { warn() {} },
    timeouts: { leaseMs: 10_000 },
  })
}

test.group('Leases', () => {
  test('one holder at a time, in the order in which they came', async ({ assert }) => {
    const leases = newLeases()
    const order: string[] = []
    const work = (name: string) => async () => {
      order.push(`${name} in`)
      await Promise.resolve()
      order.push(`${name} out`)
    }
    await Promise.all(['a', 'b', 'c'].map((name) => leases.hold('user/1', work(name))))
    assert.deepEqual(order, ['a in', 'a out', 'b in', 'b out', 'c in', 'c out'])
    assert.isFalse(leases.isHeld('user/1'))
  })

  test('agents do not wait for each other', async ({ assert }) => {
    const leases = newLeases()
    const held = Promise.withResolvers<void>()
    const first = leases.hold('user/1', () => held.promise)
    assert.equal(await leases.hold('user/2', async () => 'done'), 'done')
    held.resolve()
    await first
  })

  test('who only tries is told when it is held', async ({ assert }) => {
    const leases = newLeases()
    const held = Promise.withResolvers<void>()
    const first = leases.hold('user/1', () => held.promise)
    assert.strictEqual(await leases.tryHold('user/1', async () => 'done'), HELD)
    held.resolve()
    await first
    assert.equal(await leases.tryHold('user/1', async () => 'done'), 'done')
  })

  test('who leaves the line does not hold it up', async ({ assert }) => {
    const leases = newLeases()
    const held = Promise.withResolvers<void>()
    const leaving = new AbortController()
    const first = leases.hold('user/1', () => held.promise)
    const second = leases.hold('user/1', async () => 'never', leaving.signal)
    const third = leases.hold('user/1', async () => 'third')
    leaving.abort(new Error('gone'))
    await assert.rejects(() => second, 'gone')
    held.resolve()
    await first
    assert.equal(await third, 'third')
  })

  test('work that fails gives the lease back', async ({ assert }) => {
    const leases = newLeases()
    await assert.rejects(() =>
      leases.hold('user/1', async () => {
        throw new Error('broken')
      })
    )
    assert.isFalse(leases.isHeld('user/1'))
  })
})

import { test } from '@japa/runner'
import { DatabaseLeaseStore } from '#agents/leases/lease_store'
import { DEFAULT_TIMEOUTS } from '#agents/context'
import { LeaseManager, HELD, LeaseLost } from '#agents/leases/lease_manager'
import type { AgentKey } from '#agents/types'
import UserContainer from '#models/user_container'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const { leaseMs: LEASE_MS } = DEFAULT_TIMEOUTS

test.group('Leases over all replicas', (group) => {
  const house = eachHouse(group)
  let agent: AgentKey
  let userId: string

  group.each.setup(async () => {
    /** Long enough for a renewal to find the lease lost. */
    house.settings['agents.bootTimeoutSec'] = 3600
    ;({ agent, userId } = await house.newAgent())
    await house.services.rows.provide(agent)
  })

  const rowsOf = (replica: string) =>
    new DatabaseLeaseStore({ ...house.context, replicaId: replica })
  const leasesOf = (replica: string) => new LeaseManager(rowsOf(replica), house.context)

  test('of any number of replicas one gets it, and the next when it is given back', async ({
    assert,
  }) => {
    const replicas = ['a', 'b', 'c'].map(rowsOf)
    const taken = await Promise.all(replicas.map((replica) => replica.take(agent)))
    assert.sameMembers(taken, [1, HELD, HELD])

    const winner = replicas[taken.indexOf(1)]
    const [loser] = replicas.filter((replica) => replica !== winner)
    await winner.giveBack(agent, 1)
    assert.equal(await loser.take(agent), 2)
    assert.equal((await house.row(userId)).leaseFence, 2)
  })

  test('one that is renewed is never taken over, one that is not is after its time', async ({
    assert,
  }) => {
    const [holder, other] = ['a', 'b'].map(rowsOf)
    assert.equal(await holder.take(agent), 1)
    for (let time = 0; time < LEASE_MS * 3; time += LEASE_MS / 2) {
      assert.strictEqual(await other.take(agent), HELD)
      house.clock.advance(LEASE_MS / 2)
      assert.deepEqual(await holder.renew(new Map([[agent, 1]])), [])
    }
    assert.strictEqual(await other.take(agent), HELD)
    house.clock.advance(LEASE_MS)
    assert.equal(await other.take(agent), 2)
    assert.deepEqual(await holder.renew(new Map([[agent, 1]])), [agent])
    await holder.giveBack(agent, 1)
    assert.equal((await house.row(userId)).leaseOwner, 'b')
  })

  test('a clock that is set back neither keeps a dead one nor loses a living one', async ({
    assert,
  }) => {
    const [holder, other] = ['a', 'b'].map(rowsOf)
    await holder.take(agent)
    assert.strictEqual(await other.take(agent), HELD)
    house.clock.setBack(60 * 60_000)
    assert.deepEqual(await holder.renew(new Map([[agent, 1]])), [])
    assert.strictEqual(await other.take(agent), HELD)
    house.clock.advance(LEASE_MS)
    assert.equal(await other.take(agent), 2)
  })

  test('what a replica could not give back it takes again at once', async ({ assert }) => {
    const replica = rowsOf('a')
    assert.equal(await replica.take(agent), 1)
    assert.equal(await replica.take(agent), 2)
  })

  test('an agent without a row has none to take', async ({ assert }) => {
    assert.isNull(await rowsOf('a').take('user/nobody'))
    assert.isNull(await rowsOf('a').take('system/nothing'))
  })

  test('work in two replicas never overlaps', async ({ assert }) => {
    let within = 0
    const overlaps: number[] = []
    const work = async () => {
      overlaps.push(++within)
      await new Promise(setImmediate)
      within--
    }
    const replicas = ['a', 'b', 'c'].map(leasesOf)
    await Promise.all(
      replicas.flatMap((leases) => Array.from({ length: 5 }, () => leases.hold(agent, work)))
    )
    assert.lengthOf(overlaps, 15)
    assert.isTrue(overlaps.every((count) => count === 1))
    assert.isNull((await house.row(userId)).leaseOwner)
  })

  test('who waits may be content with what is to be seen', async ({ assert }) => {
    await rowsOf('a').take(agent)
    let looks = 0
    const watch = async () => (++looks === 3 ? 'seen' : undefined)
    const seen = await leasesOf('b').hold(agent, async () => 'held', undefined, watch)
    assert.equal(seen, 'seen')
  })

  /** As another replica does with a lease that has expired. */
  const takenOver = () =>
    UserContainer.query()
      .where('user_id', userId)
      .update({ lease_owner: 'other', lease_fence: 1000 })
  const givenBack = () =>
    UserContainer.query().where('user_id', userId).update({ lease_owner: null })

  test('a replica that lost it writes nothing more, and learns of it', async ({ assert }) => {
    const { context, services } = house
    const leases = leasesOf(context.replicaId)
    await leases.hold(agent, async (lease) => {
      const row = (await services.rows.find(agent))!
      await services.rows.save(row, { status: 'starting' })
      await leases.confirm(agent, row)
      await takenOver()

      const saved = services.rows.save(row, { status: 'error' })
      assert.instanceOf(await saved.catch((error) => error), LeaseLost)
      house.clock.advance(LEASE_MS)
      const confirmed = leases.confirm(agent, row)
      assert.instanceOf(await confirmed.catch((error) => error), LeaseLost)
      assert.isTrue(lease.signal.aborted)
    })
    const row = await house.row(userId)
    assert.include(row.$attributes, { status: 'starting', leaseOwner: 'other' })
  })

  test('nothing is written without one', async ({ assert }) => {
    const row = (await house.services.rows.find(agent))!
    const saved = house.services.rows.save(row, { status: 'running' })
    assert.instanceOf(await saved.catch((error) => error), LeaseLost)
    assert.equal((await house.row(userId)).status, 'stopped')
  })

  test('a wake whose lease was taken over goes on with what the other made of it', async ({
    assert,
  }) => {
    const name = `mosaic-user-${userId}`
    house.memory.behave(name, { bootMs: Infinity })
    const call = house.lifecycle.ensureRunning(agent)
    await until(() => house.memory.counts(name).alive === 1)
    await takenOver()
    await until(() => house.logged.some(({ message }) => message.includes('took an agent over')))
    house.memory.behave(name, { bootMs: 0 })
    await givenBack()

    assert.isString((await call).url)
    const { starts, stops } = house.memory.counts(name)
    assert.deepEqual({ starts, stops }, { starts: 1, stops: 0 })
  })
})

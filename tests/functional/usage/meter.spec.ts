import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
import UsageDay from '#models/usage_day'
import WakeDay from '#models/wake_day'
import { countTransition } from '#usage/agent_life'
import { UsageMeter } from '#usage/usage_meter'
import { eachHouse } from '#tests/doubles/agents_house'
import { TestClock } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000

test.group('The meter of usage', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  let clock: TestClock
  let meter: UsageMeter
  let warnings: string[]
  group.each.setup(() => {
    clock = new TestClock()
    warnings = []
    meter = newMeter()
    return () => meter.close()
  })

  const newMeter = () =>
    new UsageMeter({ clock, logger: { warn: (_, message) => warnings.push(message) } })
  const dayOf = async (userId: string) => {
    const row = await UsageDay.ownedBy(userId).firstOrFail()
    const { chats, wakes, awakeSeconds, tokensIn, tokensOut } = row
    return [chats, wakes, awakeSeconds, Number(tokensIn), Number(tokensOut)]
  }

  test('adds up what a user does in a day, in one row', async ({ assert }) => {
    const { id } = await UserFactory.create()
    meter.chat(id)
    meter.chat(id)
    meter.woke(id)
    meter.tokens(id, { in: 3_000_000_000, out: 20 })
    await meter.flush()
    meter.chat(id)
    meter.tokens(id, { in: 5, out: 1 })
    await meter.flush()
    assert.deepEqual(await dayOf(id), [3, 1, 0, 3_000_000_005, 21])
    assert.equal((await UsageDay.ownedBy(id).firstOrFail()).day.toISODate(), '2026-11-23')
  })

  test('adds to what another replica of Mosaic counted', async ({ assert }) => {
    const { id } = await UserFactory.create()
    const other = newMeter()
    meter.chat(id)
    other.chat(id)
    await Promise.all([meter.flush(), other.close()])
    assert.deepEqual(await dayOf(id), [2, 0, 0, 0, 0])
  })

  test('gives each day its part of a night', async ({ assert }) => {
    const { id } = await UserFactory.create()
    const midnight = Date.parse('2026-11-24T00:00:00Z')
    meter.awake(id, midnight - 10 * MINUTE_MS, midnight + 5 * MINUTE_MS)
    await meter.flush()
    const days = await UsageDay.ownedBy(id).orderBy('day')
    assert.deepEqual(
      days.map(({ day, awakeSeconds }) => [day.toISODate(), awakeSeconds]),
      [
        ['2026-11-23', 600],
        ['2026-11-24', 300],
      ]
    )
  })

  test('writes by itself after a while, and once for all that came meanwhile', async ({
    assert,
  }) => {
    const users = await UserFactory.createMany(3)
    for (const { id } of users) for (let count = 0; count < 50; count++) meter.chat(id)
    const rows = () =>
      UsageDay.query().whereIn(
        'user_id',
        users.map(({ id }) => id)
      )
    assert.equal(clock.backgroundTimers, 1)
    assert.lengthOf(await rows(), 0)
    clock.advance(15_000)
    await meter.flush()
    assert.lengthOf(await rows(), 3)
    assert.equal(clock.backgroundTimers, 0)
  })

  test('forgets whoever was deleted, and keeps the others', async ({ assert }) => {
    const [stays, leaves] = await UserFactory.createMany(2)
    meter.chat(stays.id)
    meter.chat(leaves.id)
    await leaves.delete()
    await meter.flush()
    assert.deepEqual(await dayOf(stays.id), [1, 0, 0, 0, 0])
    assert.lengthOf(await UsageDay.ownedBy(leaves.id), 0)
    assert.isEmpty(warnings)
  })

  test('counts how wakes ended', async ({ assert }) => {
    meter.wakeEnded('ready', 4000)
    meter.wakeEnded('ready', 6000)
    meter.wakeEnded('boot_timeout', 180_000)
    await meter.flush()
    const rows = await WakeDay.query().where('day', '2026-11-23').orderBy('outcome')
    assert.deepEqual(
      rows.map(({ outcome, count, totalMs }) => [outcome, count, Number(totalMs)]),
      [
        ['boot_timeout', 1, 180_000],
        ['ready', 2, 10_000],
      ]
    )
  })
})

/** Without a transaction: PostgreSQL would refuse all of it after the first refusal. */
test.group('The meter of usage, with a sum that no column takes', (group) => {
  group.each.setup(() => testUtils.db().truncate())

  test('writes those of the others, and does not try it again', async ({ assert, cleanup }) => {
    const clock = new TestClock()
    const warnings: string[] = []
    const logger = { warn: (_: object, message: string) => warnings.push(message) }
    const meter = new UsageMeter({ clock, logger })
    cleanup(() => meter.close())
    const users = await UserFactory.createMany(3)
    meter.tokens(users[1].id, { in: 2 ** 70, out: 0 })
    for (const { id } of users) meter.chat(id)
    await meter.flush()
    for (const { id } of [users[0], users[2]]) {
      assert.equal((await UsageDay.ownedBy(id).firstOrFail()).chats, 1)
    }
    assert.equal(clock.backgroundTimers, 0)
    assert.isAtMost(warnings.length, 1)
    await meter.flush()
    assert.isAtMost(warnings.length, 1)
  })
})

test.group('The life of an agent', (group) => {
  const house = eachHouse(group)
  let counted: [string, ...unknown[]][]
  group.each.setup(() => {
    counted = []
    const meter = {
      woke: (id: string) => counted.push(['woke', id]),
      awake: (id: string, from: number, to: number) => counted.push(['awake', id, to - from]),
    }
    house.transitions.push((transition) => countTransition(meter, transition, house.clock.now))
  })

  test('is counted from its wake to its sleep, once', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    await house.lifecycle.ensureRunning(agent)
    assert.deepEqual(counted, [['woke', userId]])

    house.clock.advance(10 * MINUTE_MS)
    await house.lifecycle.stop(agent)
    await house.lifecycle.stop(agent)
    assert.lengthOf(counted, 2)
    const [what, whose, ms] = counted[1]
    assert.deepEqual([what, whose], ['awake', userId])
    assert.isAtLeast(ms as number, 10 * MINUTE_MS)
    assert.isBelow(ms as number, 11 * MINUTE_MS)
  })

  test('is counted to its end when it crashed, and after a restart of Mosaic', async ({
    assert,
  }) => {
    const { agent, userId, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.clock.advance(MINUTE_MS)
    house.memory.crash(name)
    await house.services.observer.recheck(agent)
    assert.deepEqual(
      counted.map(([what]) => what),
      ['woke', 'awake']
    )
    assert.equal(counted[1][1], userId)
  })

  test('is not counted where it never woke', async ({ assert }) => {
    const { agent } = await house.newAgent()
    house.memory.behave('*', { bootMs: 600_000 })
    await assert.rejects(() => house.lifecycle.ensureRunning(agent))
    assert.isEmpty(counted)
  })
})

import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import { AgentUnavailable } from '#agents/state/errors'
import UserContainer from '#models/user_container'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** PostgreSQL's error while it does not accept connections yet. */
const STARTING = Object.assign(new Error('the database system is starting up'), { code: '57P03' })

test.group('A database that is restarted', (group) => {
  const house = eachHouse(group)

  /** Makes the database unavailable for that many milliseconds. */
  const away = (ms: number) => {
    const backAt = house.clock.elapsed() + ms
    const { forAgent } = house.context.documents
    house.context.documents.forAgent = async (agent) => {
      if (house.clock.elapsed() < backAt) throw STARTING
      return forAgent(agent)
    }
  }

  test('is waited for by a wake, which then goes on', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    away(5000)
    await house.lifecycle.ensureRunning(agent)
    assert.equal((await house.row(userId)).status, 'running')
  })

  test('is waited for ten seconds, and then named as the reason', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    away(60_000)
    const beganAt = house.clock.elapsed()
    const error = await house.lifecycle.ensureRunning(agent).catch((failure) => failure)
    assert.instanceOf(error, AgentUnavailable)
    assert.equal(error.reason, 'database_away')
    assert.isNotEmpty(error.help)
    assert.closeTo(house.clock.elapsed() - beganAt, 10_000, 1000)
    assert.equal(house.driver.calls.ensure ?? 0, 0)

    /** The failure did not concern the agent: the next start is not delayed. */
    house.clock.advance(60_000)
    await house.lifecycle.ensureRunning(agent)
    assert.equal((await house.row(userId)).failureCount, 0)
  })

  test('is reconciled with as soon as it is back', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.memory.crash(name)
    const { leases } = house.services
    leases.takeOver = () => Promise.reject(STARTING)
    await assert.rejects(() => house.reconciler.takeOver())
    delete (leases as Partial<typeof leases>).takeOver

    await house.reconciler.takeOver()
    assert.equal((await house.row(userId)).status, 'error')
  })
})

test.group('A clock that is set back an hour', (group) => {
  const house = eachHouse(group)

  test('lets an agent that waits after a failure wake', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    house.driver.chaos.ensure = { bad: 'no_capacity' }
    await house.lifecycle.ensureRunning(agent).catch(() => {})
    house.driver.chaos.ensure = {}
    house.clock.setBack(HOUR_MS)
    await house.lifecycle.ensureRunning(agent)
    assert.equal((await house.row(userId)).status, 'running')
  })

  test('lets an agent fall asleep after its own time, not an hour later', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.clock.setBack(HOUR_MS)
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })
    house.clock.advance(30 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { candidates: 1, stopped: 1 })
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('lets an agent rest and stop that resumed for an hour which is days ahead now', async ({
    assert,
  }) => {
    const GB = 1024 ** 3
    house.world.machine = { total: 24 * GB, available: 16 * GB, swapTotal: 0, swapFree: 0 }
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const expected = async (inMs: number) => {
      const query = UserContainer.query()
      const at = DateTime.fromMillis(house.clock.now() + inMs)
      await query.update({ expected_at: at.toFormat(query.client.dialect.dateTimeFormat) })
    }
    house.clock.advance(30 * MINUTE_MS)
    await expected(5 * MINUTE_MS)
    assert.include(await house.rester.rest(), { rested: 0 })
    assert.include(await house.reaper.reapIdle(), { candidates: 1, stopped: 0 })
    await expected(48 * HOUR_MS)
    assert.include(await house.rester.rest(), { rested: 1 })
    assert.equal((await house.row(userId)).status, 'suspended')

    await house.lifecycle.ensureRunning(agent, { reason: 'expected' })
    assert.include(await house.reaper.reapIdle(), { candidates: 1, stopped: 1 })
  })

  test('keeps an agent awake that is used, and goes on to note it', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.lifecycle.keepAwake(agent)
    await house.activity.flush()
    house.clock.setBack(HOUR_MS)
    const setAt = house.clock.elapsed()
    await until(async () => {
      house.clock.advance(1000)
      house.lifecycle.keepAwake(agent)
      const { lastActiveAt } = await house.row(userId)
      return lastActiveAt!.toMillis() <= house.clock.now()
    })
    assert.isBelow(house.clock.elapsed() - setAt, MINUTE_MS)
    house.clock.advance(29 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })
  })

  test('moves no time of an agent by more than what its owner sees', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    await UserContainer.query().update({ last_active_at: null })
    house.lifecycle.keepAwake(agent)
    house.clock.setBack(HOUR_MS)
    const { idleStopAt } = await house.lifecycle.describe(agent)
    assert.equal(Date.parse(idleStopAt!) - house.clock.now(), 30 * MINUTE_MS)
  })
})

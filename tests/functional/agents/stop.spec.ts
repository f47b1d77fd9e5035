import { test } from '@japa/runner'
import { AgentUnavailable } from '#agents/state/errors'
import UserContainer from '#models/user_container'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

test.group('Stopping an agent', (group) => {
  const house = eachHouse(group)

  /** A busy agent, whose stop waits for its work. */
  async function atWork() {
    const made = await house.newAgent()
    house.memory.behave(made.name, { working: true })
    house.settings['agents.stopGraceSec'] = 600
    await house.lifecycle.ensureRunning(made.agent)
    return { ...made, lastWork: () => house.memory.behave(made.name, { working: false }) }
  }

  test('ends its instance, and its next caller wakes it', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    await house.lifecycle.stop(agent)

    assert.isNull(house.lifecycle.peek(agent))
    assert.equal(house.memory.counts(name).alive, 0)
    const row = await house.row(userId)
    assert.include(row.$attributes, { status: 'stopped', desired: 'stopped', endpoint: null })
    assert.isNull(row.startedAt)

    await house.lifecycle.ensureRunning(agent)
    assert.equal(house.memory.counts(name).starts, 2)
  })

  test('says why it did not end, if other replicas take the agent over each time', async ({
    assert,
  }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const stop = house.memory.stop.bind(house.memory)
    let fence = 1000
    house.memory.stop = async (ref) => {
      await stop(ref)
      const taken = { lease_owner: null, lease_fence: ++fence }
      await UserContainer.query().where('user_id', userId).update(taken)
    }
    const error = await house.lifecycle.stop(agent).catch((thrown: unknown) => thrown)
    assert.instanceOf(error, AgentUnavailable)
    assert.include(error, { reason: 'internal', code: 'E_AGENT_INTERNAL' })
    assert.match((error as AgentUnavailable).message, /stop your agent/)
  })

  test('lets what it does end first, and lets nobody in meanwhile', async ({ assert }) => {
    const { agent, name, userId, lastWork } = await atWork()
    const stop = house.lifecycle.stop(agent)
    await until(async () => (await house.row(userId)).status === 'stopping')
    assert.equal(house.memory.counts(name).alive, 1)
    assert.equal((await house.lifecycle.describe(agent)).status, 'stopping')

    const late = house.lifecycle.ensureRunning(agent)
    lastWork()
    await stop
    assert.equal(house.memory.counts(name).stops, 1)
    await late
    assert.equal(house.memory.counts(name).starts, 2)
    assert.equal(house.memory.counts(name).mostAlive, 1)
  })

  test('waits for what it does only as long as the settings grant', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { working: true })
    await house.lifecycle.ensureRunning(agent)
    const since = house.clock.now()
    await house.lifecycle.stop(agent)
    assert.equal(house.memory.counts(name).alive, 0)
    assert.closeTo(house.clock.now() - since, 20_000, 500)
  })

  test('waits for what Mosaic has in flight where the gateway does not say', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { uncontrolled: true })
    house.settings['agents.stopGraceSec'] = 20
    await house.lifecycle.ensureRunning(agent)
    house.activity.begin(agent)
    const timers = house.clock.timers
    const stop = house.lifecycle.stop(agent)
    await until(() => house.clock.timers > timers)
    house.clock.advance(19_000)
    assert.equal(house.memory.counts(name).stops, 0)
    house.clock.advance(1000)
    await stop
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('calls off a wake in flight', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: Infinity })
    const call = house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
    await until(() => house.memory.counts(name).alive === 1)
    await house.lifecycle.stop(agent)
    assert.equal((await call).reason, 'cancelled')
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('of an agent that never ran is done at once', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.stop(agent)
    await house.lifecycle.stop('user/nobody')
    assert.isUndefined(house.driver.calls.stop)
    assert.equal((await house.lifecycle.describe(agent)).status, 'stopped')
  })

  test('that the runtime refuses is kept as an error, and can be tried again', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.driver.chaos.stop = { bad: 'engine_unreachable' }
    const error = await house.lifecycle.stop(agent).catch((thrown) => thrown)
    assert.instanceOf(error, AgentUnavailable)
    assert.include((await house.row(userId)).$attributes, {
      status: 'error',
      statusReason: 'engine_unreachable',
      desired: 'stopped',
    })

    house.driver.chaos.stop = {}
    const { stopped } = await house.reconciler.reconcile()
    assert.equal(stopped, 1)
    assert.equal(house.memory.counts(name).alive, 0)
    assert.equal((await house.row(userId)).status, 'stopped')
  })

  test('for a restart says all the while that the agent is wanted', async ({ assert }) => {
    const { agent, userId, lastWork } = await atWork()
    const restarted = house.lifecycle.restartAndWait(agent)
    await until(async () => (await house.row(userId)).status === 'stopping')
    const row = await house.row(userId)
    assert.include(row.$attributes, { status: 'stopping', desired: 'running' })
    const seen = await house.lifecycle.describe(agent)
    assert.include(seen, { status: 'stopping', desired: 'running' })
    lastWork()
    await restarted
    assert.include(await house.lifecycle.describe(agent), { status: 'running', desired: 'running' })
  })

  test('calls off a restart that has not begun to start', async ({ assert }) => {
    const { agent, name, userId, lastWork } = await atWork()
    const restarted = house.lifecycle.restartAndWait(agent).catch((thrown) => thrown)
    await until(async () => (await house.row(userId)).status === 'stopping')
    const stopped = house.lifecycle.stop(agent)
    assert.equal((await house.lifecycle.describe(agent)).desired, 'stopped')
    lastWork()
    await stopped
    assert.equal((await restarted).reason, 'cancelled')
    assert.include((await house.row(userId)).$attributes, { status: 'stopped', desired: 'stopped' })
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('wins over a restart that has ended the agent, and gives its lease back', async ({
    assert,
  }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const { leases, stopRequests } = house.services
    const hold = leases.holdAgain.bind(leases)
    let stopped: Promise<void> | undefined
    leases.holdAgain = async (...work) => {
      const result = await hold(...work)
      stopped ??= house.lifecycle.stop(agent)
      return result
    }
    await stopRequests.stop(agent, 'running').done
    await stopped
    assert.include((await house.row(userId)).$attributes, { status: 'stopped', desired: 'stopped' })
  })

  test('and restarting end in one instance, whoever asks at the same time', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    await Promise.all([
      house.lifecycle.restartAndWait(agent),
      house.lifecycle.restartAndWait(agent),
      house.lifecycle.ensureRunning(agent),
    ])
    const { alive, mostAlive, starts } = house.memory.counts(name)
    assert.deepEqual({ alive, mostAlive, starts }, { alive: 1, mostAlive: 1, starts: 2 })
  })

  test('tells when it falls asleep by itself, but not while it works', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const { idleStopAt } = await house.lifecycle.describe(agent)
    assert.equal(Date.parse(idleStopAt!) - house.clock.now(), 30 * 60_000)

    house.clock.advance(60_000)
    house.lifecycle.keepAwake(agent)
    const later = await house.lifecycle.describe(agent)
    assert.equal(Date.parse(later.idleStopAt!) - house.clock.now(), 30 * 60_000)

    house.activity.begin(agent)
    assert.isUndefined((await house.lifecycle.describe(agent)).idleStopAt)
  })
})

import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import { AgentReconciler } from '#agents/background/reconciler'
import type { AgentKey } from '#agents/types'
import { BackgroundWakes } from '#agents/waking/background_wakes'
import SystemContainer from '#models/system_container'
import User from '#models/user'
import UserContainer from '#models/user_container'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000

test.group('Sweeps', (group) => {
  const house = eachHouse(group)

  const awake = async () => {
    const one = await house.newAgent()
    await house.lifecycle.ensureRunning(one.agent)
    return one
  }

  const systemAgent = (changes: Partial<SystemContainer> = {}) =>
    SystemContainer.create({
      name: 'mosaic-system-ops',
      role: 'operations',
      isActive: true,
      desired: 'running',
      status: 'stopped',
      ...changes,
    })

  test('the reconciler ends the agent of a deactivated user, and starts it no more', async ({
    assert,
  }) => {
    const { name, userId } = await awake()
    await (await house.row(userId)).merge({ wakePolicy: 'always_on' }).save()
    await User.query().where('id', userId).update({ deactivated_at: new Date() })

    assert.include(await house.reconciler.reconcile(), { stopped: 1, started: 0 })
    assert.equal(house.memory.counts(name).alive, 0)
    assert.equal((await house.row(userId)).status, 'stopped')

    await (await house.row(userId)).merge({ desired: 'running' }).save()
    assert.include(await house.reconciler.reconcile(), { stopped: 0, started: 0 })
    await User.query().where('id', userId).update({ deactivated_at: null })
    assert.include(await house.reconciler.reconcile(), { started: 1 })
  })

  test('the reaper puts those to sleep whose own time is over', async ({ assert }) => {
    const sleepy = await awake()
    const patient = await awake()
    await UserContainer.query().where('user_id', patient.userId).update({ idle_timeout_min: 60 })

    house.clock.advance(30 * MINUTE_MS - 1000)
    assert.include(await house.reaper.reapIdle(), { candidates: 0, stopped: 0 })
    house.clock.advance(1000)
    assert.include(await house.reaper.reapIdle(), { candidates: 1, stopped: 1, failed: 0 })

    assert.equal(house.memory.counts(sleepy.name).alive, 0)
    assert.equal(house.memory.counts(patient.name).alive, 1)
    const row = await house.row(sleepy.userId)
    assert.include(row.$attributes, { status: 'stopped', desired: 'stopped', statusReason: null })
    house.clock.advance(30 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { candidates: 1, stopped: 1 })
  })

  test('the reaper leaves an agent alone that has a request in flight', async ({ assert }) => {
    const { agent, name } = await awake()
    const end = house.activity.begin(agent)
    house.clock.advance(31 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { stopped: 0 })
    assert.equal(house.memory.counts(name).alive, 1)

    end()
    await house.activity.flush()
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })
  })

  test('the reaper believes what the process knows, when the row is behind', async ({ assert }) => {
    const { agent, name, userId } = await awake()
    house.clock.advance(31 * MINUTE_MS)
    house.lifecycle.keepAwake(agent)
    const old = DateTime.fromMillis(house.clock.now() - 31 * MINUTE_MS)
    await house.activity.flush()
    await (await house.row(userId)).merge({ lastActiveAt: old }).save()

    assert.include(await house.reaper.reapIdle(), { candidates: 1, stopped: 0, skipped: 1 })
    assert.equal(house.memory.counts(name).alive, 1)
  })

  test('the reaper of another process sees by the rows who is being used', async ({ assert }) => {
    const { agent } = await awake()
    house.activity.begin(agent)
    for (let minute = 0; minute < 31; minute++) {
      house.clock.advance(MINUTE_MS)
      await house.activity.flush()
    }
    const command = house.nextProcess()
    assert.include(await command.reaper.reapIdle(), { candidates: 0 })
  })

  test('the reaper counts what it could not stop, and goes on', async ({ assert }) => {
    await awake()
    await awake()
    house.clock.advance(30 * MINUTE_MS)
    house.driver.chaos.stop = { bad: 'engine_unreachable' }
    assert.include(await house.reaper.reapIdle(), { candidates: 2, stopped: 0, failed: 2 })
  })

  test('two reapers at once stop each agent once', async ({ assert }) => {
    const { name } = await awake()
    house.clock.advance(30 * MINUTE_MS)
    const both = await Promise.all([house.reaper.reapIdle(), house.reaper.reapIdle()])
    assert.equal(both[0].stopped + both[1].stopped, 1)
    assert.equal(house.memory.counts(name).stops, 1)
  })

  test('the reaper selects with one query', async ({ assert }) => {
    await awake()
    assert.equal(await house.queries(() => house.reaper.candidates()), 1)
  })

  test('the health check notes an agent that ended, and its next message wakes it', async ({
    assert,
  }) => {
    const crashed = await awake()
    await awake()
    await house.memory.crash(crashed.name)
    const { durationMs, ...counts } = await house.health.healthCheckAll()
    assert.deepEqual(counts, { checked: 2, healthy: 1, crashed: 1, silent: 0, skipped: 0 })

    assert.isNull(house.lifecycle.peek(crashed.agent))
    assert.include((await house.row(crashed.userId)).$attributes, {
      status: 'error',
      statusReason: 'exited_early',
    })
    await house.lifecycle.ensureRunning(crashed.agent)
    assert.equal(house.memory.counts(crashed.name).starts, 2)
  })

  test('the health check tells apart a gateway that is silent', async ({ assert }) => {
    const { agent, name } = await awake()
    house.memory.behave(name, { unavailable: true })
    assert.include(await house.health.healthCheckAll(), { silent: 1, crashed: 0 })
    assert.isNull(house.lifecycle.peek(agent))
  })

  test('the health check says nothing about agents whose runtime is away', async ({ assert }) => {
    const { name, userId } = await awake()
    house.memory.behave(name, { unavailable: true })
    house.driver.chaos.inspect = { bad: 'engine_unreachable' }
    assert.include(await house.health.healthCheckAll(), { skipped: 1, crashed: 0 })
    assert.equal((await house.row(userId)).status, 'running')
  })

  test('an event of the runtime tells of a crash before any sweep', async ({ assert }) => {
    const watch = house.runtimeEvents()
    const { agent, name, userId } = await awake()
    await house.memory.crash(name)
    await until(async () => (await house.row(userId)).status === 'error')
    assert.isNull(house.lifecycle.peek(agent))

    await house.lifecycle.ensureRunning(agent)
    await house.lifecycle.stop(agent)
    await until(() => !house.services.observer.isBusy(agent))
    assert.equal((await house.row(userId)).status, 'stopped')
    await watch.close()
  })

  test('a new process adopts what runs and is wanted, without starting it anew', async ({
    assert,
  }) => {
    const { agent, name, userId } = await awake()
    await UserContainer.query().where('user_id', userId).update({ status: 'starting' })
    const next = house.nextProcess()
    assert.include(await next.reconciler.reconcile(), { instances: 1, adopted: 1 })
    assert.equal((await house.row(userId)).status, 'running')

    await next.lifecycle.ensureRunning(agent)
    assert.equal(house.memory.counts(name).starts, 1)
    const { instances, actions } = await next.reconciler.reconcile()
    assert.equal(instances, 1)
    assert.deepEqual(actions, [])
  })

  test('a new process wakes what it finds running without standing in line', async ({ assert }) => {
    const { agent } = await awake()
    const next = house.nextProcess()
    const access = await next.lifecycle.ensureRunning(agent)
    assert.deepEqual(access, house.lifecycle.peek(agent)!)
    assert.isUndefined(next.driver.calls.ensure)
  })

  test('reconciling stops what is not wanted, and removes what belongs to no agent', async ({
    assert,
  }) => {
    const unwanted = await awake()
    const orphan = await awake()
    await UserContainer.query().where('user_id', unwanted.userId).update({ desired: 'stopped' })
    await db.from('users').where('id', orphan.userId).delete()

    const next = house.nextProcess()
    const planned = await next.reconciler.reconcile({ dryRun: true })
    assert.sameDeepMembers(planned.actions, [
      { action: 'stop', agent: unwanted.agent, name: unwanted.name },
      { action: 'remove', agent: orphan.agent, name: orphan.name },
    ])
    assert.equal(house.memory.counts(unwanted.name).alive, 1)

    assert.include(await next.reconciler.reconcile(), { stopped: 1, removed: 1, failed: 0 })
    assert.equal(house.memory.counts(unwanted.name).alive, 0)
    assert.equal(house.memory.counts(orphan.name).alive, 0)
    assert.isTrue(house.world.data.has(orphan.name))
  })

  test('reconciling ends though the runtime never removes an instance', async ({ assert }) => {
    const orphan = await awake()
    await db.from('users').where('id', orphan.userId).delete()
    const next = house.nextProcess()
    next.driver.chaos.remove = { never: true }
    const reconciled = next.reconciler.reconcile()
    await until(() => next.driver.calls.remove === 1)
    house.clock.advance(house.context.timeouts.stopMs)
    assert.include(await reconciled, { removed: 0, failed: 1 })
  })

  test('reconciling notes agents of which nothing is left', async ({ assert }) => {
    const { name, userId } = await awake()
    await house.memory.remove({ name, state: null })
    const next = house.nextProcess()
    assert.include(await next.reconciler.reconcile(), { gone: 1 })
    assert.equal((await house.row(userId)).status, 'error')
  })

  test('what a dead process had half started is just asleep', async ({ assert }) => {
    const { name, userId } = await awake()
    await house.memory.remove({ name, state: null })
    await UserContainer.query().where('user_id', userId).update({ status: 'starting' })
    await house.nextProcess().reconciler.reconcile()
    const row = await house.row(userId)
    assert.include(row.$attributes, { status: 'stopped', statusReason: null })
  })

  test('a runtime that does not answer is named, and nothing is done about its agents', async ({
    assert,
  }) => {
    const { userId } = await awake()
    house.driver.chaos.list = { bad: 'engine_unreachable' }
    const { unreachable, actions } = await house.reconciler.reconcile()
    assert.deepEqual(unreachable, ['memory'])
    assert.deepEqual(actions, [])
    assert.equal((await house.row(userId)).status, 'running')
  })

  test('system agents are kept running, with a wait after a failure', async ({ assert }) => {
    const row = await systemAgent()
    assert.include(await house.reconciler.reconcile(), { started: 1 })
    assert.equal(house.memory.counts(row.name).alive, 1)

    await house.memory.crash(row.name)
    await house.health.healthCheckAll()
    house.driver.chaos.ensure = { bad: 'no_capacity' }
    assert.include(await house.reconciler.reconcile(), { started: 0, skipped: 1 })
    const tries = house.driver.calls.ensure
    house.driver.chaos.ensure = {}
    assert.include(await house.reconciler.reconcile(), { started: 0, skipped: 1 })
    assert.equal(house.driver.calls.ensure, tries)

    house.clock.advance(MINUTE_MS)
    assert.include(await house.reconciler.reconcile(), { started: 1 })
    assert.equal(house.memory.counts(row.name).alive, 1)
  })

  test('a system agent that boots without end holds up neither sweep nor the others', async ({
    assert,
  }) => {
    const stuck = await systemAgent()
    const asked: AgentKey[] = []
    const backgroundWakes = new BackgroundWakes(house.context, {
      ensureRunning(agent, options) {
        asked.push(agent)
        if (agent === `system/${stuck.id}`) return new Promise(() => {})
        return house.lifecycle.ensureRunning(agent, options)
      },
    })
    const services = { ...house.services, backgroundWakes }
    const counted: Record<string, number>[] = []
    const metrics = { reconciled: (counts: Record<string, number>) => void counted.push(counts) }
    const reconciler = new AgentReconciler(house.context, services, metrics)
    const sweep = () => reconciler.reconcile({ inBackground: true })
    assert.lengthOf((await sweep()).actions, 1)
    const other = await systemAgent({ name: 'mosaic-system-other' })
    assert.lengthOf((await sweep()).actions, 2)
    await until(() => counted.some(({ started }) => started === 1))
    assert.deepEqual(asked, [`system/${stuck.id}`, `system/${other.id}`])
    assert.equal(house.memory.counts(other.name).alive, 1)
  })

  test('system agents never fall asleep, and inactive ones are stopped', async ({ assert }) => {
    const row = await systemAgent()
    await house.reconciler.reconcile()
    house.clock.advance(1000 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })

    await (await SystemContainer.findOrFail(row.id)).merge({ isActive: false }).save()
    assert.include(await house.reconciler.reconcile(), { stopped: 1 })
    assert.equal(house.memory.counts(row.name).alive, 0)
    assert.include(await house.reconciler.reconcile(), { started: 0, stopped: 0 })
  })

  test('a system agent comes back whose restart a dead process had half done', async ({
    assert,
  }) => {
    const row = await systemAgent()
    await house.reconciler.reconcile()
    house.document = null
    await assert.rejects(() => house.lifecycle.restartAndWait(`system/${row.id}`))
    assert.equal(house.memory.counts(row.name).alive, 0)
    house.document = 'document-1'
    assert.include(await house.reconciler.reconcile(), { started: 1 })

    await SystemContainer.query().where('id', row.id).update({ status: 'stopping' })
    const next = house.nextProcess()
    assert.include(await next.reconciler.reconcile(), { stopped: 1 })
    assert.include(await next.reconciler.reconcile(), { started: 1 })
    assert.equal(house.memory.counts(row.name).starts, 3)
  })

  test('a system agent with a name that no engine takes runs under its id', async ({ assert }) => {
    const row = await systemAgent({ name: 'Ops & more' })
    await house.reconciler.reconcile()
    assert.equal(house.memory.counts(`mosaic-system-${row.id}`).alive, 1)
  })
})

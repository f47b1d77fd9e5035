import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import { setImmediate as turn } from 'node:timers/promises'
import { ScheduledWakes } from '#agents/background/scheduled_wakes'
import type { AgentKey } from '#agents/types'
import { BackgroundWakes } from '#agents/waking/background_wakes'
import User from '#models/user'
import UserContainer from '#models/user_container'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000

test.group('Scheduled work', (group) => {
  const house = eachHouse(group)
  let scheduled: ScheduledWakes

  group.each.setup(() => {
    scheduled = new ScheduledWakes(house.context, house.services.backgroundWakes)
  })

  /** Wakes the agents that are due, and waits for them. */
  const wakeDue = async () => ({
    ...(await scheduled.wakeDue()),
    ...(await house.services.backgroundWakes.settled()),
  })

  /** A stopped agent with a job due in that many milliseconds. */
  const asleep = async (dueInMs: number) => {
    const one = await house.newAgent()
    const due = house.clock.now() + dueInMs
    house.memory.behave(one.name, { nextJobAt: due })
    await house.lifecycle.ensureRunning(one.agent)
    await house.lifecycle.stop(one.agent)
    return { ...one, due }
  }

  test('is asked for before a stop, and kept while the agent sleeps', async ({ assert }) => {
    const { userId, due } = await asleep(60 * MINUTE_MS)
    assert.equal((await house.row(userId)).nextJobAt!.toMillis(), due)
    assert.include(await wakeDue(), { due: 0, woken: 0 })
  })

  test('wakes its agent ahead of time, and sends it to sleep again when it is done', async ({
    assert,
  }) => {
    const { name, userId, due } = await asleep(60 * MINUTE_MS)
    house.clock.advance(58 * MINUTE_MS)
    assert.include(await wakeDue(), { due: 1, woken: 1 })
    assert.isBelow(house.clock.now(), due)
    assert.equal((await house.row(userId)).status, 'running')

    assert.include(await house.reaper.reapIdle(), { working: 1, stopped: 0 })
    house.memory.behave(name, { nextJobAt: null, working: true })
    assert.include(await house.reaper.reapIdle(), { working: 1, stopped: 0 })
    house.memory.behave(name, { working: false })
    assert.include(await house.reaper.reapIdle(), { stopped: 1 })
    assert.isNull((await house.row(userId)).nextJobAt)
    assert.include(await wakeDue(), { due: 0 })
  })

  test('is no act of the user: the agent is as idle as before', async ({ assert }) => {
    const { userId } = await asleep(MINUTE_MS)
    const before = (await house.row(userId)).lastActiveAt!.toMillis()
    house.clock.advance(30_000)
    await wakeDue()
    await house.activity.flush()
    assert.equal((await house.row(userId)).lastActiveAt!.toMillis(), before)
  })

  test('wakes a suspended agent too', async ({ assert }) => {
    const one = await house.newAgent()
    house.settings['agents.wakePolicy'] = 'warm'
    await house.lifecycle.ensureRunning(one.agent)
    house.memory.behave(one.name, { nextJobAt: house.clock.now() + 40 * MINUTE_MS })
    house.clock.advance(30 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { suspended: 1 })
    house.clock.advance(9 * MINUTE_MS)
    assert.include(await wakeDue(), { woken: 1 })
    assert.include(house.memory.counts(one.name), { starts: 1 })
  })

  test('that was missed wakes its agent all the same', async ({ assert }) => {
    await asleep(MINUTE_MS)
    house.clock.advance(60 * MINUTE_MS)
    assert.include(await wakeDue(), { woken: 1 })
  })

  test('wakes no agent whose owner was deactivated', async ({ assert }) => {
    const { userId } = await asleep(MINUTE_MS)
    await User.query().where('id', userId).update({ deactivatedAt: DateTime.now().toSQL() })
    assert.include(await wakeDue(), { due: 0 })
  })

  test('waits like anyone after a failure', async ({ assert }) => {
    await asleep(MINUTE_MS)
    house.driver.chaos.ensure = { bad: 'no_capacity' }
    assert.include(await wakeDue(), { due: 1, woken: 0, skipped: 1 })
    house.driver.chaos.ensure = {}
    assert.include(await wakeDue(), { due: 1, woken: 0, skipped: 1 })
    house.clock.advance(MINUTE_MS)
    assert.include(await wakeDue(), { woken: 1 })
  })

  test('is not held up by an agent that boots without end', async ({ assert }) => {
    const [stuck, other] = [await asleep(MINUTE_MS), await asleep(60 * MINUTE_MS)]
    const asked: AgentKey[] = []
    const wakes = new BackgroundWakes(house.context, {
      ensureRunning(agent, options) {
        asked.push(agent)
        if (agent === stuck.agent) return new Promise(() => {})
        return house.lifecycle.ensureRunning(agent, options)
      },
    })
    scheduled = new ScheduledWakes(house.context, wakes)
    assert.include(await scheduled.wakeDue(), { due: 1, begun: 1 })
    house.clock.advance(59 * MINUTE_MS)
    assert.include(await scheduled.wakeDue(), { due: 2, begun: 1 })
    assert.deepEqual(asked, [stuck.agent, other.agent])
    await until(async () => (await house.row(other.userId)).status === 'running')
  })

  test('begins no wake once Mosaic shuts down', async ({ assert }) => {
    const { agent } = await asleep(MINUTE_MS)
    const woken = Promise.withResolvers<void>()
    const wakes = new BackgroundWakes(house.context, { ensureRunning: () => woken.promise })
    scheduled = new ScheduledWakes(house.context, wakes)
    assert.include(await scheduled.wakeDue(), { begun: 1 })
    const closed = wakes.close().then(() => 'closed')
    assert.equal(await Promise.race([closed, turn('waiting')]), 'waiting')
    woken.resolve()
    assert.equal(await closed, 'closed')
    assert.isNull(wakes.begin(agent, 'schedule'))
    assert.include(await scheduled.wakeDue(), { due: 1, begun: 0 })
  })

  test('leaves an agent alone for minutes that only its owner can help', async ({ assert }) => {
    await asleep(MINUTE_MS)
    house.document = null
    assert.include(await wakeDue(), { due: 1, skipped: 1 })
    assert.include(await wakeDue(), { due: 0 })
    house.clock.advance(5 * MINUTE_MS - 1)
    assert.include(await wakeDue(), { due: 0 })

    house.document = 'document-1'
    house.clock.advance(1)
    assert.include(await wakeDue(), { due: 1, woken: 1 })
  })

  test('leaves an agent alone that crashed again and again, until a person starts it', async ({
    assert,
  }) => {
    const { userId } = await asleep(MINUTE_MS)
    const crashed = { status: 'error', status_reason: 'exited_early', crash_count: 5 }
    await UserContainer.query().where('user_id', userId).update(crashed)
    assert.include(await wakeDue(), { due: 0, skipped: 0 })
    await house.lifecycle.startAndWait(`user/${userId}`)
    await house.lifecycle.stop(`user/${userId}`)
    assert.include(await wakeDue(), { due: 1, woken: 1 })
  })

  test('that is due is over when its wake is cancelled, and a later one is not', async ({
    assert,
  }) => {
    const cancelled = async (dueInMs: number) => {
      const { agent, userId } = await asleep(dueInMs)
      house.driver.chaos.ensure = { never: true }
      const wake = house.lifecycle.ensureRunning(agent, { reason: 'schedule' })
      wake.catch(() => {})
      await until(() => house.services.sharedWakes.gate.starting === 1)
      await house.lifecycle.cancel(agent)
      house.driver.chaos.ensure = {}
      return (await house.row(userId)).nextJobAt
    }
    assert.isNull(await cancelled(MINUTE_MS))
    assert.include(await wakeDue(), { due: 0 })
    assert.isNotNull(await cancelled(60 * MINUTE_MS))
  })

  test('is looked for with one query, however many agents sleep', async ({ assert }) => {
    await asleep(60 * MINUTE_MS)
    await asleep(60 * MINUTE_MS)
    assert.equal(await house.queries(() => scheduled.wakeDue()), 1)
  })
})

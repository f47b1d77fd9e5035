import { test } from '@japa/runner'
import type { AgentKey, GatewayAccess } from '#agents/types'
import UserContainer from '#models/user_container'
import type { WakePolicy } from '#models/types'
import { type AgentsHouse, eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000

test.group('Before an agent sleeps', (group) => {
  const house = eachHouse(group)
  /** For each time that an agent could be read: whether its gateway was ready for traffic. */
  let read: boolean[]

  group.each.setup(() => {
    read = []
    readWith(house)
  })

  function readWith(reader: AgentsHouse, then = (_: AgentKey) => {}) {
    reader.beforeSleep = async (agent: AgentKey, { url, token }: GatewayAccess) => {
      const headers = { authorization: `Bearer ${token}` }
      const ready = await fetch(`${url}/startupz`, { headers })
      read.push(ready.ok)
      then(agent)
    }
  }

  const awake = async (wakePolicy: WakePolicy | null = null) => {
    const one = await house.newAgent()
    await house.lifecycle.ensureRunning(one.agent)
    await UserContainer.query().where('user_id', one.userId).update({ wake_policy: wakePolicy })
    return one
  }

  test('it is read, also by another process than the one that woke it', async ({ assert }) => {
    const { name } = await awake()
    house.clock.advance(30 * MINUTE_MS)
    const other = house.nextProcess()
    readWith(other)
    assert.include(await other.reaper.reapIdle(), { stopped: 1 })
    assert.deepEqual(read, [true])
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('it is read once, if it rests first and is stopped later', async ({ assert }) => {
    await awake('warm')
    house.clock.advance(30 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { suspended: 1 })
    house.clock.advance(60 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { stopped: 1 })
    assert.deepEqual(read, [true])
  })

  test('it stays awake if it is used while it is read', async ({ assert }) => {
    const { name } = await awake()
    house.clock.advance(30 * MINUTE_MS)
    readWith(house, (agent) => house.activity.touch(agent))
    assert.include(await house.reaper.reapIdle(), { stopped: 0, skipped: 1 })
    assert.equal(house.memory.counts(name).alive, 1)
  })

  test('it is read when a person stops it', async ({ assert }) => {
    const { agent } = await awake()
    await house.lifecycle.stop(agent)
    assert.deepEqual(read, [true])
  })

  test('it is read again once the work has ended that a stop waited for', async ({ assert }) => {
    const { agent, name } = await awake()
    const { url } = await house.lifecycle.ensureRunning(agent)
    house.memory.behave(name, { working: true })
    house.settings['agents.stopGraceSec'] = 600
    const stop = house.lifecycle.stop(agent)
    await until(async () => !(await fetch(`${url}/startupz`)).ok)
    house.memory.behave(name, { working: false })
    await stop
    assert.deepEqual(read, [true, true])
    assert.include(house.memory.counts(name), { alive: 0, starts: 1 })
  })

  test('it is not read again if its work goes on', async ({ assert }) => {
    const { agent, name } = await awake()
    house.memory.behave(name, { working: true })
    house.settings['agents.stopGraceSec'] = 20
    await house.lifecycle.stop(agent)
    assert.deepEqual(read, [true])
    assert.equal(house.memory.counts(name).alive, 0)
  })
})

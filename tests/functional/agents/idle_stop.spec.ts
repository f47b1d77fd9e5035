import { test } from '@japa/runner'
import type { AgentKey } from '#agents/types'
import UserContainer from '#models/user_container'
import type { WakePolicy } from '#models/types'
import type { MemoryBehaviour } from '#tests/doubles/memory_runtime/world'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

test.group('Falling asleep', (group) => {
  const house = eachHouse(group)

  /** Starts an agent and lets its idle limit pass. */
  const idle = async (behaviour: MemoryBehaviour = {}, wakePolicy: WakePolicy | null = null) => {
    const one = await house.newAgent()
    house.memory.behave(one.name, behaviour)
    await house.lifecycle.ensureRunning(one.agent)
    await UserContainer.query().where('user_id', one.userId).update({ wake_policy: wakePolicy })
    house.clock.advance(30 * MINUTE_MS)
    return one
  }
  const statusOf = async (userId: string) => (await house.row(userId)).status
  const chat = async (agent: AgentKey, text = 'Hello') => {
    const { url, token } = await house.lifecycle.ensureRunning(agent)
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'authorization': `Bearer ${token}`,
        'content-type': 'application/json',
        'x-openclaw-session-key': 'c1',
      },
      body: JSON.stringify({ messages: [{ role: 'user', content: text }] }),
    })
    return (await response.json()) as { choices: { message: { content: string } }[] }
  }

  test('an agent that works in the background is left at it, and sleeps when it is done', async ({
    assert,
  }) => {
    const { agent, name } = await idle({ working: true })
    assert.include(await house.reaper.reapIdle(), { candidates: 1, working: 1, stopped: 0 })
    assert.equal(house.memory.counts(name).alive, 1)
    assert.isString((await house.lifecycle.ensureRunning(agent)).url)

    house.memory.behave(name, { working: false })
    house.clock.advance(30 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { stopped: 1, working: 0 })
  })

  test('its own work keeps an agent awake for a day, and no longer', async ({ assert }) => {
    const { name } = await idle({ working: true })
    house.clock.advance(23 * HOUR_MS)
    assert.include(await house.reaper.reapIdle(), { working: 1 })
    house.clock.advance(HOUR_MS)
    assert.include(await house.reaper.reapIdle(), { stopped: 1 })
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('one that is wanted soon by its schedule stays awake for it', async ({ assert }) => {
    const { name, userId } = await idle()
    const due = house.clock.now() + 119_000
    house.memory.behave(name, { nextJobAt: due })
    assert.include(await house.reaper.reapIdle(), { working: 1, stopped: 0 })

    house.memory.behave(name, { nextJobAt: due + HOUR_MS })
    assert.include(await house.reaper.reapIdle(), { stopped: 1 })
    assert.equal((await house.row(userId)).nextJobAt?.toMillis(), due + HOUR_MS)
  })

  test('a gateway that does not say what it does gets its whole time once more', async ({
    assert,
  }) => {
    await idle({ uncontrolled: true })
    assert.include(await house.reaper.reapIdle(), { skipped: 1, stopped: 0 })
    house.clock.advance(30 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { skipped: 0, stopped: 1 })
  })

  test('a message that comes between two looks is answered by the same instance', async ({
    assert,
  }) => {
    const { agent, name } = await idle()
    const { gatewayControl } = house.context
    const close = gatewayControl.close.bind(gatewayControl)
    gatewayControl.close = async (gateway, options) => {
      const state = await close(gateway, options)
      house.activity.begin(agent)
      return state
    }
    assert.include(await house.reaper.reapIdle(), { skipped: 1, stopped: 0 })
    assert.equal((await chat(agent)).choices[0].message.content, 'Turn 1: Hello')
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('a message that comes while its agent stops is answered after the next wake', async ({
    assert,
  }) => {
    const { agent, name, userId } = await idle({ working: true })
    const stop = house.lifecycle.stop(agent)
    await until(async () => (await statusOf(userId)) === 'stopping')
    const answer = chat(agent)
    house.memory.behave(name, { working: false })
    await stop
    assert.equal((await answer).choices[0].message.content, 'Turn 1: Hello')
    assert.include(house.memory.counts(name), { starts: 2, mostAlive: 1 })
  })

  test('a warm agent is suspended, and goes on with the next message without a start', async ({
    assert,
  }) => {
    const { agent, name, userId } = await idle({}, 'warm')
    assert.include(await house.reaper.reapIdle(), { suspended: 1, stopped: 0 })
    assert.equal(await statusOf(userId), 'suspended')
    assert.equal((await house.lifecycle.describe(agent)).status, 'resting')
    assert.equal(house.world.instances.get(name)!.status, 'suspended')

    assert.equal((await chat(agent)).choices[0].message.content, 'Turn 1: Hello')
    assert.equal(await statusOf(userId), 'running')
    assert.include(house.memory.counts(name), { starts: 1, stops: 0 })
  })

  test('one that comes back from a rest waits for no place at the start gate', async ({
    assert,
  }) => {
    const { agent } = await idle({}, 'warm')
    await house.reaper.reapIdle()
    house.settings['agents.startConcurrency'] = 1
    const busy = await house.services.sharedWakes.gate.enter('user/other', 1, {
      signal: new AbortController().signal,
      tell: () => {},
    })
    assert.isString((await house.lifecycle.ensureRunning(agent)).url)
    busy()
  })

  test('a warm agent that nobody comes back to is stopped later', async ({ assert }) => {
    const { name, userId } = await idle({}, 'warm')
    await house.reaper.reapIdle()
    house.clock.advance(59 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })
    house.clock.advance(MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { stopped: 1 })
    assert.equal(await statusOf(userId), 'stopped')
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('a warm agent is stopped where its runtime cannot suspend it', async ({ assert }) => {
    const { userId } = await idle({}, 'warm')
    house.driver.chaos.suspend = { bad: 'engine_unreachable' }
    assert.include(await house.reaper.reapIdle(), { suspended: 0, stopped: 1 })
    assert.equal(await statusOf(userId), 'stopped')
  })

  test('a suspended agent is what it should be: reconciling leaves it as it is', async ({
    assert,
  }) => {
    const { userId, name } = await idle({}, 'warm')
    await house.reaper.reapIdle()
    const { actions } = await house.reconciler.reconcile()
    assert.isEmpty(actions)
    assert.equal(await statusOf(userId), 'suspended')
    assert.equal(house.world.instances.get(name)!.status, 'suspended')
  })

  test('one found suspended that its row takes for awake is noted as it is', async ({ assert }) => {
    const { name, userId, agent } = await idle({}, 'warm')
    await house.driver.suspend!({ name, state: null })
    assert.include(await house.reconciler.reconcile(), { adopted: 1 })
    assert.equal(await statusOf(userId), 'suspended')
    assert.isNull(house.lifecycle.peek(agent))
  })

  test('an agent that is always on stays awake, and is brought back when it is gone', async ({
    assert,
  }) => {
    const { name, userId } = await idle({}, 'always_on')
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })
    await house.memory.crash(name)
    assert.include(await house.reconciler.reconcile(), { gone: 1, started: 1 })
    assert.equal(await statusOf(userId), 'running')
  })

  test('one that its owner stopped is not brought back', async ({ assert }) => {
    const { agent, userId } = await idle({}, 'always_on')
    await house.lifecycle.stop(agent)
    assert.isEmpty((await house.reconciler.reconcile()).actions)
    assert.equal(await statusOf(userId), 'stopped')
  })

  test('the installation says what becomes of agents whose owners do not', async ({ assert }) => {
    await idle()
    house.settings['agents.wakePolicy'] = 'always_on'
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })
    house.settings['agents.wakePolicy'] = 'warm'
    assert.include(await house.reaper.reapIdle(), { suspended: 1 })
  })
})

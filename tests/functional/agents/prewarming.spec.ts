import { test } from '@japa/runner'
import { Prewarmer } from '#agents/prewarmer'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { GatewayClient } from '#openclaw/gateway_client'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const SESSION = 'agent:main:primer:wake'

test.group('Priming an agent', (group) => {
  const house = eachHouse(group)
  let prewarmer: Prewarmer
  let gateway: Pick<GatewayClient, 'prewarm'>

  group.each.setup(() => {
    gateway = new GatewayClient()
    prewarmer = prewarmerWith(gateway)
    return () => prewarmer.close()
  })

  const prewarmerWith = (given: Pick<GatewayClient, 'prewarm'>) =>
    new Prewarmer(house.context, house.services.local, house.metrics, given)

  /** Number of messages sent to the agent's hidden session so far. */
  const turns = (name: string) =>
    (house.world.data.get(name)?.get(SESSION) ?? []).filter(({ role }) => role === 'user').length

  /** Opens the chat, as the page does. */
  async function come(agent: Parameters<Prewarmer['prewarm']>[0]) {
    await house.lifecycle.start(agent)
    return prewarmer.prewarm(agent)
  }

  test('waits until it is awake, then chats with it in a session of its own', async ({
    assert,
  }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: 3000 })
    assert.equal(await come(agent), 'prewarmed')
    assert.deepEqual([...house.world.data.get(name)!.keys()], [SESSION])
    assert.equal(turns(name), 1)
  })

  test('happens again once it is half way to being cold, and not before', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await come(agent)
    house.clock.advance(29_000)
    assert.equal(await come(agent), 'warm')
    house.clock.advance(1000)
    assert.equal(await come(agent), 'prewarmed')
    assert.equal(turns(name), 2)
  })

  test('is not needed while its user chats, nor right after', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    const endOne = prewarmer.chatBegins(agent)
    const endOther = prewarmer.chatBegins(agent)
    assert.equal(await come(agent), 'chatting')
    endOne()
    endOne()
    assert.equal(await come(agent), 'chatting')
    endOther()
    assert.equal(await come(agent), 'warm')
    assert.equal(turns(name), 0)
  })

  test('is needed after a restart, however lately it chatted', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await come(agent)
    await house.lifecycle.restartAndWait(agent)
    assert.equal(await come(agent), 'prewarmed')
  })

  test('wakes nobody', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    assert.equal(await prewarmer.prewarm(agent), 'asleep')
    house.document = null
    assert.equal(await come(agent), 'asleep')
    assert.equal(house.memory.counts(name).starts, 0)
  })

  test('happens once at a time', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    assert.deepEqual(await Promise.all([come(agent), come(agent), come(agent)]), [
      'prewarmed',
      'prewarmed',
      'prewarmed',
    ])
    assert.equal(turns(name), 1)
  })

  test('takes turns with other agents, as many at once as may start', async ({ assert }) => {
    house.settings['agents.startConcurrency'] = 2
    let most = 0
    let present = 0
    const leaves: (() => void)[] = []
    prewarmer = prewarmerWith({
      prewarm: async () => {
        most = Math.max(most, ++present)
        await new Promise<void>((leave) => leaves.push(leave))
        present--
      },
    })
    const agents = await Promise.all([1, 2, 3].map(() => house.newAgent()))
    const prewarms = Promise.all(agents.map(({ agent }) => come(agent)))
    await until(() => leaves.length === 2)
    for (let left = 0; left < 3; left++) {
      await until(() => leaves.length > 0)
      leaves.shift()!()
    }
    assert.deepEqual(await prewarms, ['prewarmed', 'prewarmed', 'prewarmed'])
    assert.equal(most, 2)
  })

  test('is no act of the user, and keeps no agent awake', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.startAndWait(agent)
    const before = house.activity.lastActiveAt(agent)
    house.clock.advance(29 * 60_000)
    assert.equal(await prewarmer.prewarm(agent), 'prewarmed')
    assert.equal(house.activity.lastActiveAt(agent), before)
    assert.equal(house.activity.inFlight(agent), 0)

    house.clock.advance(60_000)
    assert.equal((await house.reaper.reapIdle()).stopped, 1)
    assert.equal((await house.row(userId)).status, 'stopped')
  })

  test('that fails is counted and logged, and hurts nobody', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.startAndWait(agent)
    house.memory.behave(name, { errorFrame: true })
    assert.equal(await come(agent), 'failed')
    const [{ level, message }] = house.logged.slice(-1)
    assert.deepEqual([level, message], ['info', 'Could not prewarm an agent'])

    house.memory.behave(name, { errorFrame: false })
    await house.lifecycle.ensureRunning(agent)
    assert.equal(await come(agent), 'prewarmed')
    const text = await house.metrics.render({ agents: {}, waking: 0, queued: 0 })
    assert.include(text, 'mosaic_agent_prewarms_total{outcome="failed"} 1')
    assert.include(text, 'mosaic_agent_prewarms_total{outcome="prewarmed"} 1')
  })

  test('that cannot read a setting, as without the database, fails and rejects nothing', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    await come(agent)
    house.clock.advance(30_000)
    const settings = { get: () => Promise.reject(new Error('no database')) }
    const context = { ...house.context, settings }
    prewarmer = new Prewarmer(context, house.services.local, house.metrics, gateway)
    prewarmer.chatBegins(agent)()
    house.clock.advance(30_000)
    assert.equal(await prewarmer.prewarm(agent), 'failed')
  })

  test('that takes too long is given up', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.startAndWait(agent)
    house.memory.behave(name, { hang: true })
    const outcome = come(agent)
    await until(() => turns(name) === 1)
    house.clock.advance(60_000)
    assert.equal(await outcome, 'failed')
  })

  test('ends when its agent is stopped, and does not delay that', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.startAndWait(agent)
    house.memory.behave(name, { hang: true })
    const outcome = come(agent)
    await until(() => turns(name) === 1)
    await house.lifecycle.stop(agent)
    assert.equal(await outcome, 'interrupted')
    assert.equal((await house.row(userId)).status, 'stopped')
  })

  test('ends when Mosaic does', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.startAndWait(agent)
    house.memory.behave(name, { hang: true })
    const outcome = come(agent)
    await until(() => turns(name) === 1)
    prewarmer.close()
    assert.equal(await outcome, 'interrupted')
    assert.notInclude(house.logged.map(({ message }) => message).join(), 'prewarm')
  })

  test('of a gateway that is gone lets the next call look anew', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.startAndWait(agent)
    prewarmer = prewarmerWith({
      prewarm: async () => {
        throw new E_GATEWAY_FAILED()
      },
    })
    assert.equal(await come(agent), 'failed')
    assert.isNull(house.lifecycle.peek(agent))
  })

  test('keeps the agent from being called awake until it answers at once', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    const told: string[] = []
    house.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'progress') told.push(event.progress.stage)
      if (event.type === 'status') told.push(event.agent.status)
    })
    let answer = () => {}
    prewarmer = prewarmerWith({ prewarm: () => new Promise<void>((done) => (answer = done)) })
    const outcome = come(agent)
    await until(() => told.includes('prewarming'))
    assert.equal((await house.row(name.slice('mosaic-user-'.length))).status, 'running')
    assert.include(await house.lifecycle.describe(agent), { status: 'starting', awake: false })
    assert.notIncludeMembers(told, ['running'])
    assert.notIncludeMembers(told, ['ready'])

    answer()
    assert.equal(await outcome, 'prewarmed')
    await until(() => told.includes('running'))
    assert.deepEqual(told.slice(-2), ['ready', 'running'])
    assert.equal((await house.lifecycle.describe(agent)).status, 'running')
  })

  test('says how long it usually takes, to those who come in the middle too', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    prewarmer = prewarmerWith({ prewarm: async () => house.clock.advance(4000) })
    await come(agent)
    await house.lifecycle.restartAndWait(agent)
    const told: object[] = []
    const again = come(agent)
    const unsubscribe = house.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'progress') told.push(event.progress)
    })
    await again
    unsubscribe()
    assert.deepInclude(told, { stage: 'prewarming', elapsedMs: 0, usualMs: 4000 })
    assert.deepInclude(told, { stage: 'ready', elapsedMs: 4000, usualMs: 4000 })
  })

  test('gives way to a message that comes first', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.startAndWait(agent)
    house.memory.behave(name, { hang: true })
    const outcome = come(agent)
    await until(() => turns(name) === 1)
    assert.equal((await house.lifecycle.describe(agent)).status, 'starting')

    const end = prewarmer.chatBegins(agent)
    assert.equal((await house.lifecycle.describe(agent)).status, 'running')
    assert.equal(await outcome, 'chatting')
    end()
    assert.equal(await come(agent), 'warm')
  })

  test('that is never needed shows nothing', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await come(agent)
    assert.equal(await come(agent), 'warm')
    house.clock.advance(60_000)
    const again = come(agent)
    assert.equal((await house.lifecycle.describe(agent)).status, 'running')
    await again
  })

  test('after a rest shows nothing, as the next message would not wait', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await come(agent)
    house.clock.advance(60_000)
    const { idleStopper } = house.services
    assert.equal(await idleStopper.stop(agent, () => ({ kind: 'rest' })), 'suspended')
    const told: string[] = []
    const unsubscribe = house.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'progress') told.push(event.progress.stage)
      if (event.type === 'status') told.push(event.agent.status)
    })
    let statusMeanwhile = ''
    gateway.prewarm = async () => {
      statusMeanwhile = (await house.lifecycle.describe(agent)).status
    }
    assert.equal(await come(agent), 'prewarmed')
    assert.equal(statusMeanwhile, 'running')
    await until(() => told.includes('running'))
    unsubscribe()
    assert.notInclude(told, 'prewarming')
  })

  test('shows where idle workers end, as its next message would wait', async ({ assert }) => {
    const { agent } = await house.newAgent()
    house.settings['agents.keepWorkers'] = false
    await come(agent)
    house.clock.advance(60_000)
    let answer = () => {}
    prewarmer.close()
    prewarmer = prewarmerWith({ prewarm: () => new Promise<void>((done) => (answer = done)) })
    const again = come(agent)
    await until(async () => (await house.lifecycle.describe(agent)).status === 'starting')
    answer()
    assert.equal(await again, 'prewarmed')
  })

  test('handles a restart at once that fails during another prewarm', async ({
    assert,
    cleanup,
  }) => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.prependListener('unhandledRejection', note)
    cleanup(() => void process.removeListener('unhandledRejection', note))
    const { agent } = await house.newAgent()
    let answer: (() => void) | undefined
    prewarmer = prewarmerWith({ prewarm: () => new Promise<void>((done) => (answer = done)) })
    const first = come(agent)
    await until(() => answer !== undefined)
    const second = prewarmer.prewarm(agent, Promise.reject(new Error('no engine')))
    await new Promise(setImmediate)
    assert.isEmpty(unhandled)
    answer!()
    assert.deepEqual(await Promise.all([first, second]), ['prewarmed', 'warm'])
  })

  test('follows a restart that a person asked for', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await come(agent)
    const restart = house.lifecycle.restartAndWait(agent)
    assert.equal(await prewarmer.prewarm(agent, restart), 'prewarmed')
    assert.equal((await house.lifecycle.describe(agent)).status, 'running')
  })
})

import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { DEFAULT_TIMEOUTS } from '#agents/context'
import type { AgentKey, WakeProgress } from '#agents/types'
import { type AgentsHouse, eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const { leaseMs } = DEFAULT_TIMEOUTS
/** Milliseconds by which other replicas know of a change. */
const KNOWN_MS = 2000

test.group('Several replicas of Mosaic', (group) => {
  const house = eachHouse(group)
  let other: AgentsHouse

  group.each.setup(async () => {
    other = house.nextProcess()
    for (const replica of [house, other]) {
      replica.settings['agents.bootTimeoutSec'] = 3600
      await replica.services.open()
    }
    await house.context.replicas.heartbeat()
  })

  /** Advances time in small steps, so that pending work gets its turns. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      house.clock.advance(250)
      await house.row('nobody').catch(() => {})
      await new Promise(setImmediate)
    }
  }

  /** Wakes the agent in a replica and collects the progress that it reports. */
  const follow = (replica: AgentsHouse, agent: AgentKey) => {
    const told: WakeProgress[] = []
    const call = replica.lifecycle.ensureRunning(agent, { onProgress: (step) => told.push(step) })
    call.catch(() => {})
    return { told, call }
  }

  test('know of each other, and of one that ends', async ({ assert }) => {
    assert.isFalse(house.context.replicas.alone)
    assert.isFalse(other.context.replicas.alone)
    await other.context.replicas.close()
    await house.context.replicas.heartbeat()
    assert.isTrue(house.context.replicas.alone)
  })

  test('notice one that dies, and forget what it told', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await db.table('replicas').insert({
      id: 'dead',
      heartbeat: 1,
      created_at: '2026-11-23 12:00:00',
      updated_at: '2026-11-23 12:00:00',
    })
    const row = { agent, replica_id: 'dead', stage: 'booting', elapsed_ms: 5 }
    const times = { created_at: '2026-11-23 12:00:00', updated_at: '2026-11-23 12:00:00' }
    await db.table('agent_wakes').insert({ ...row, ...times })
    await house.context.replicas.heartbeat()
    assert.equal((await house.lifecycle.describe(agent)).status, 'starting')

    house.clock.advance(leaseMs)
    await house.context.replicas.heartbeat()
    assert.equal((await house.lifecycle.describe(agent)).status, 'stopped')
  })

  test('a thousand callers in three replicas make an agent start once, and all are answered', async ({
    assert,
  }) => {
    const third = house.nextProcess()
    await third.services.open()
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: 1000 })
    const replicas = [house, other, third]
    const calls = Array.from({ length: 1000 }, (_, index) =>
      replicas[index % 3].lifecycle.ensureRunning(agent)
    )
    const urls = new Set((await Promise.all(calls)).map(({ url }) => url))
    assert.equal(urls.size, 1)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('who waits in one hears how far another is with the wake', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: Infinity })
    const leader = follow(house, agent)
    await until(() => leader.told.at(-1)?.stage === 'booting')
    const follower = follow(other, agent)
    await until(() => follower.told.at(-1)?.stage === 'booting')
    assert.equal((await other.lifecycle.describe(agent)).status, 'starting')

    house.memory.behave(name, { bootMs: 0 })
    assert.deepEqual(await follower.call, await leader.call)
    assert.equal(house.memory.counts(name).starts, 1)
    assert.isUndefined(other.driver.calls.ensure)
    assert.lengthOf(await db.from('agent_wakes'), 0)
  })

  test('stand in one line: no more start than may, in the order in which they came', async ({
    assert,
  }) => {
    for (const replica of [house, other]) replica.settings['agents.startConcurrency'] = 1
    const [one, two, three] = [
      await house.newAgent(),
      await house.newAgent(),
      await house.newAgent(),
    ]
    house.memory.behave(one.name, { bootMs: Infinity })
    const first = follow(house, one.agent)
    await until(() => first.told.at(-1)?.stage === 'booting')
    const second = follow(other, two.agent)
    await until(() => second.told.at(-1)?.queuePosition === 1)
    const third = follow(house, three.agent)
    await until(() => third.told.at(-1)?.queuePosition === 2)
    assert.equal((await other.lifecycle.describe(three.agent)).queuePosition, 2)
    assert.equal(house.memory.counts(two.name).starts, 0)

    house.memory.behave(one.name, { bootMs: 0 })
    await Promise.all([first.call, second.call, third.call])
    assert.equal(
      house.services.sharedWakes.gate.starting + other.services.sharedWakes.gate.starting,
      0
    )
  })

  test('a wake of one is called off by a stop in another', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { bootMs: Infinity })
    const { told, call } = follow(house, agent)
    await until(() => told.at(-1)?.stage === 'booting')
    await other.lifecycle.stop(agent)
    const error = await call.catch((thrown) => thrown)
    assert.equal(error.reason, 'cancelled')
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('pages that watch an agent in one hear what another does with it', async ({ assert }) => {
    const { agent } = await house.newAgent()
    const heard: string[] = []
    other.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'status') heard.push(event.agent.status)
    })
    await house.lifecycle.ensureRunning(agent)
    await pass(KNOWN_MS)
    await until(() => heard.at(-1) === 'running')
    await house.lifecycle.stop(agent)
    await pass(KNOWN_MS)
    await until(() => heard.at(-1) === 'stopped')
    assert.equal(heard[0], 'running')
  })

  test('find an agent that another has started, and wake none to look', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    assert.isNull(await other.lifecycle.running(agent))
    assert.equal(house.memory.counts(name).alive, 0)
    const access = await house.lifecycle.ensureRunning(agent)
    assert.equal((await other.lifecycle.running(agent))?.url, access.url)
    await house.lifecycle.stop(agent)
    other.lifecycle.invalidate(agent)
    assert.isNull(await other.lifecycle.running(agent))
  })

  test('wake none that is being stopped while they look for it', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.lifecycle.invalidate(agent)
    const [, known] = await Promise.all([
      house.lifecycle.stop(agent),
      house.lifecycle.running(agent),
    ])
    assert.isNotNull(known)
    assert.isNull(await house.lifecycle.running(agent))
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('forget where an agent was that another has stopped', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    await other.lifecycle.ensureRunning(agent)
    assert.isNotNull(other.lifecycle.peek(agent))
    await house.lifecycle.stop(agent)
    await pass(KNOWN_MS)
    await until(() => other.lifecycle.peek(agent) === null)
  })

  test('never put an agent to sleep that another has a stream open with, whoever asks', async ({
    assert,
  }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const end = other.activity.begin(agent)
    for (let minute = 0; minute < 40; minute++) await pass(60_000)
    const command = house.nextProcess()
    await command.services.open()
    for (const replica of [house, command]) {
      assert.include(await replica.reaper.reapIdle(), { stopped: 0, failed: 0 })
      assert.include(await replica.reaper.reapAll(), { stopped: 0, failed: 0 })
    }
    assert.equal(house.memory.counts(name).alive, 1)
    end()
  }).timeout(120_000)

  test('hold no agent awake for a request that ended while its replica was alone', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const end = house.activity.begin(agent)
    await pass(KNOWN_MS)
    await until(async () => (await other.activity.inFlightOnOtherReplicas(agent)) === 1)
    await other.context.replicas.close()
    await house.context.replicas.heartbeat()
    assert.isTrue(house.context.replicas.alone)
    end()
    await pass(KNOWN_MS)

    const command = house.nextProcess()
    await command.services.open()
    assert.equal(await command.activity.inFlightOnOtherReplicas(agent), 0)
  })

  test('publish again what is in flight after they were presumed dead', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const ends = [house, house, other].map(({ activity }) => activity.begin(agent))
    await house.activity.publish()
    assert.equal(await other.activity.inFlightOnOtherReplicas(agent), 2)
    await db.from('replicas').where('id', house.context.replicaId).delete()
    assert.equal(await other.activity.inFlightOnOtherReplicas(agent), 0)

    await house.context.replicas.heartbeat()
    await house.activity.publish()
    assert.equal(await other.activity.inFlightOnOtherReplicas(agent), 2)
    for (const end of ends) end()
    await house.activity.publish()
    assert.equal(await other.activity.inFlightOnOtherReplicas(agent), 0)
  })

  test('let end what an agent does before they restart it with new settings', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.memory.behave(name, { working: true })
    other.document = 'document-2'
    const woken = other.lifecycle.ensureRunning(agent)
    for (let turn = 0; turn < 4; turn++) await pass(250)
    assert.equal(house.memory.counts(name).stops, 0)

    house.memory.behave(name, { working: false })
    await until(async () => {
      await pass(250)
      return house.memory.counts(name).starts === 2
    })
    await woken
    assert.equal((await house.row(userId)).documentHash, 'document-2')
  })

  test('call off such a wait for a stop, and leave the agent to it', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.memory.behave(name, { working: true })
    other.document = 'document-2'
    const woken = other.lifecycle.ensureRunning(agent).catch((error) => error.reason)
    for (let turn = 0; turn < 4; turn++) await pass(250)
    const stopped = other.lifecycle.stop(agent)
    await until(async () => {
      await pass(250)
      return house.memory.counts(name).alive === 0
    })
    await stopped
    assert.equal(await woken, 'cancelled')
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('let end what is in flight in another before they stop an agent', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const end = other.activity.begin(agent)
    await pass(KNOWN_MS)
    await until(async () => (await house.activity.inFlightOnOtherReplicas(agent)) === 1)
    house.settings['agents.stopGraceSec'] = 3600
    /** A gateway that does not report whether it is busy. */
    house.memory.behave(name, { unavailable: true })
    const stop = house.lifecycle.stop(agent)
    await pass(KNOWN_MS)
    assert.equal(house.memory.counts(name).stops, 0)

    end()
    await pass(KNOWN_MS)
    await stop
    assert.equal(house.memory.counts(name).stops, 1)
  })
})

import { test } from '@japa/runner'
import { ScheduledWakes } from '#agents/background/scheduled_wakes'
import type { GatewayAccess } from '#agents/types'
import UserContainer from '#models/user_container'
import type { WakePolicy } from '#models/types'
import type { MemoryBehaviour } from '#tests/doubles/memory_runtime/world'
import { INSTANCE_BYTES } from '#tests/doubles/memory_runtime/driver'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const GB = 1024 ** 3

test.group('Resting', (group) => {
  const house = eachHouse(group)

  group.each.setup(() => {
    house.world.machine = { total: 24 * GB, available: 16 * GB, swapTotal: 0, swapFree: 0 }
    return () => house.rester.close()
  })

  const awake = async (behaviour: MemoryBehaviour = {}, wakePolicy: WakePolicy | null = null) => {
    const one = await house.newAgent()
    house.memory.behave(one.name, behaviour)
    await house.lifecycle.ensureRunning(one.agent)
    await UserContainer.query().where('user_id', one.userId).update({ wake_policy: wakePolicy })
    return one
  }
  const rested = async (behaviour: MemoryBehaviour = {}) => {
    const one = await awake(behaviour)
    house.clock.advance(5 * MINUTE_MS)
    await house.rester.rest()
    return one
  }
  const statusOf = async (userId: string) => (await house.row(userId)).status
  /** Runs the background job of each minute. */
  const sweep = async () => ({
    ...(await house.rester.rest()),
    ...(await house.reaper.reapIdle({ keepResting: true })),
  })
  const withSwap = () => {
    house.world.machine!.swapTotal = house.world.machine!.swapFree = 8 * GB
  }

  test('begins after a few idle minutes, and lasts beyond the idle timeout', async ({ assert }) => {
    const { agent, name, userId } = await awake()
    house.clock.advance(4 * MINUTE_MS)
    assert.include(await sweep(), { rested: 0, stopped: 0 })
    house.clock.advance(MINUTE_MS)
    assert.include(await sweep(), { rested: 1, stopped: 0 })
    assert.equal((await house.lifecycle.describe(agent)).status, 'resting')

    house.clock.advance(71 * HOUR_MS)
    assert.include(await sweep(), { rested: 0, stopped: 0 })
    assert.isString((await house.lifecycle.ensureRunning(agent)).url)
    assert.include(house.memory.counts(name), { starts: 1, stops: 0 })
    assert.equal(await statusOf(userId), 'running')
  })

  test('ends after days', async ({ assert }) => {
    const { userId } = await rested()
    house.clock.advance(72 * HOUR_MS + 30 * MINUTE_MS)
    assert.include(await sweep(), { stopped: 1 })
    assert.equal(await statusOf(userId), 'stopped')
  })

  test('begins sooner for an owner whose agent sleeps sooner', async ({ assert }) => {
    const { userId } = await awake()
    await UserContainer.query().where('user_id', userId).update({ idle_timeout_min: 2 })
    house.clock.advance(2 * MINUTE_MS)
    assert.include(await sweep(), { rested: 1, stopped: 0 })
  })

  test('is not for agents that are always on, nor with a policy of their own', async ({
    assert,
  }) => {
    await awake({}, 'always_on')
    await awake({}, 'warm')
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await sweep(), { rested: 0 })
  })

  test('never begins while the agent works, by itself or for its user', async ({ assert }) => {
    const working = await awake({ working: true })
    const used = await awake()
    const end = house.activity.begin(used.agent)
    house.clock.advance(10 * MINUTE_MS)
    assert.include(await sweep(), { rested: 0, stopped: 0 })
    assert.deepEqual(
      [await statusOf(working.userId), await statusOf(used.userId)],
      ['running', 'running']
    )
    assert.equal(house.world.instances.get(used.name)!.status, 'running')
    end()
  })

  test('keeps an agent running that its runtime does not suspend, and lets it work', async ({
    assert,
  }) => {
    const { agent, userId, name } = await awake()
    house.driver.chaos.suspend = { bad: 'engine_unreachable' }
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await house.rester.rest(), { rested: 0 })
    assert.equal(await statusOf(userId), 'running')
    assert.equal(await statusOfChat(await house.lifecycle.ensureRunning(agent)), 200)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('needs memory to spare, and to know it: without, an idle agent is stopped', async ({
    assert,
  }) => {
    const { userId } = await awake()
    house.world.machine = null
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await sweep(), { rested: 0, stopped: 0 })
    house.world.machine = { total: 24 * GB, available: 5 * GB, swapTotal: 0, swapFree: 0 }
    assert.include(await sweep(), { rested: 0, stopped: 0 })
    house.clock.advance(25 * MINUTE_MS)
    assert.include(await sweep(), { rested: 0, stopped: 1 })
    assert.equal(await statusOf(userId), 'stopped')
  })

  test('happens anywhere where the settings say so, and nowhere where they say not', async ({
    assert,
  }) => {
    const { userId } = await awake()
    house.world.machine = null
    house.settings['agents.rest'] = 'on'
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await sweep(), { rested: 1 })

    house.settings['agents.rest'] = 'off'
    house.clock.advance(25 * MINUTE_MS)
    assert.include(await sweep(), { rested: 0, stopped: 1 })
    assert.equal(await statusOf(userId), 'stopped')
  })

  test('a sweep that somebody asks for stops who is past the timeout, unless resting was chosen', async ({
    assert,
  }) => {
    const { userId } = await rested()
    house.clock.advance(25 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { candidates: 1, stopped: 1 })
    assert.equal(await statusOf(userId), 'stopped')

    const running = await awake()
    house.settings['agents.rest'] = 'on'
    house.clock.advance(30 * MINUTE_MS)
    assert.include(await house.reaper.reapIdle(), { suspended: 1, stopped: 0 })
    assert.include(await house.reaper.reapIdle(), { candidates: 0 })
    assert.equal(await statusOf(running.userId), 'suspended')
  })

  test('holds no more than the settings grant, in number and in memory', async ({ assert }) => {
    const agents = [await awake(), await awake(), await awake()]
    house.settings['agents.restCount'] = 2
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await house.rester.rest(), { rested: 2 })
    assert.include(house.rester.overview!, { resting: 2, room: 0 })

    house.settings['agents.restCount'] = null
    house.settings['agents.restMemoryMb'] = 600
    assert.include(await house.rester.rest(), { rested: 0, ended: 1 })
    assert.include(house.rester.overview!, { resting: 1, residentBytes: INSTANCE_BYTES })
    const states = await Promise.all(agents.map(({ userId }) => statusOf(userId)))
    assert.deepEqual(states.toSorted(), ['running', 'stopped', 'suspended'])
  })

  test('is measured within a deadline, whatever the runtime does', async ({ assert }) => {
    const { userId } = await rested()
    house.driver.chaos.usage = { never: true }
    const before = house.driver.calls.usage!
    const swept = house.rester.rest()
    await until(() => house.driver.calls.usage! > before)
    house.clock.advance(house.context.timeouts.inspectMs)
    await swept
    assert.equal(await statusOf(userId), 'suspended')
  })

  test('ends under pressure, first for the longest rested', async ({ assert }) => {
    const first = await rested()
    const second = await rested()
    house.world.machine = { total: 3 * GB, available: 0.28 * GB, swapTotal: 0, swapFree: 0 }
    assert.include(await house.rester.rest(), { ended: 1 })
    assert.equal(await statusOf(first.userId), 'stopped')
    assert.equal(await statusOf(second.userId), 'suspended')
  })

  test('moves memory to swap after some more minutes, and brings it back with a wake', async ({
    assert,
  }) => {
    withSwap()
    const { agent, name } = await rested()
    assert.equal(house.world.instances.get(name)!.use.resident, INSTANCE_BYTES)
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await house.rester.rest(), { pagedOut: 1 })
    assert.deepEqual(house.world.instances.get(name)!.use, {
      resident: 0,
      swapped: INSTANCE_BYTES,
    })
    assert.include(house.rester.overview!, {
      resting: 1,
      residentBytes: 0,
      swappedBytes: INSTANCE_BYTES,
      pagesOut: true,
    })
    assert.include(await house.rester.rest(), { pagedOut: 0 })
    await house.lifecycle.ensureRunning(agent)
    assert.equal(house.world.instances.get(name)!.use.resident, INSTANCE_BYTES)
  })

  test('a wake in the middle of a page-out does not wait for it', async ({ assert }) => {
    withSwap()
    const { agent, name, userId } = await rested()
    house.clock.advance(5 * MINUTE_MS)
    const instance = house.world.instances.get(name)!
    const sweeping = house.rester.rest()
    await until(() => instance.use.swapped > 0)
    assert.isString((await house.lifecycle.ensureRunning(agent)).url)
    await sweeping
    assert.equal(await statusOf(userId), 'running')
    assert.deepEqual(instance.use, { resident: INSTANCE_BYTES, swapped: 0 })
  })

  test('leaves a fifth of the swap alone', async ({ assert }) => {
    withSwap()
    house.world.machine!.swapFree = 0.2 * house.world.machine!.swapTotal
    const { name } = await rested()
    house.clock.advance(5 * MINUTE_MS)
    await house.rester.rest()
    assert.equal(house.world.instances.get(name)!.use.swapped, 0)
  })

  test('a page-out that fails hurts nobody', async ({ assert }) => {
    withSwap()
    const { agent } = await rested()
    house.driver.chaos.pageOut = { bad: 'internal' }
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await house.rester.rest(), { pagedOut: 0, failed: 1 })
    assert.isString((await house.lifecycle.ensureRunning(agent)).url)
  })

  test('begun by a Mosaic that was killed before it noted it is known to the next', async ({
    assert,
  }) => {
    const { agent, name, userId } = await awake()
    await house.memory.suspend({ name, state: null })
    const next = house.nextProcess()
    assert.include(await next.reconciler.reconcile(), { adopted: 1 })
    assert.equal(await statusOf(userId), 'suspended')
    assert.isString((await next.lifecycle.ensureRunning(agent)).url)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('begun by a Mosaic that was killed before it noted it ends for a message that waits', async ({
    assert,
  }) => {
    const { agent, name, userId } = await awake()
    const ends = house.activity.begin(agent)
    await house.memory.suspend({ name, state: null })
    assert.include(await house.reconciler.reconcile(), { adopted: 0, resumed: 1 })
    assert.equal((await house.memory.inspect({ name, state: null }))!.status, 'running')
    assert.equal(await statusOf(userId), 'running')
    assert.equal(house.memory.counts(name).starts, 1)
    ends()
  })

  test('begun by a command, which is gone before anybody knows it, keeps no message waiting', async ({
    assert,
    cleanup,
  }) => {
    const { agent, name } = await awake()
    const watch = house.runtimeEvents()
    cleanup(() => watch.close())
    const { idleStopper } = house.nextProcess().services
    assert.equal(await idleStopper.stop(agent, () => ({ kind: 'rest' })), 'suspended')
    await until(() => house.lifecycle.peek(agent) === null)
    assert.equal(await statusOfChat(await house.lifecycle.ensureRunning(agent)), 200)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('begun by a command just as a message arrives ends for it', async ({ assert, cleanup }) => {
    const { agent, name, userId } = await awake()
    const watch = house.runtimeEvents()
    cleanup(() => watch.close())
    const ends = house.activity.begin(agent)
    const { idleStopper } = house.nextProcess().services
    assert.equal(await idleStopper.stop(agent, () => ({ kind: 'rest' })), 'suspended')
    await until(async () => (await house.row(userId)).status === 'running')
    assert.equal((await house.memory.inspect({ name, state: null }))!.status, 'running')
    assert.equal(house.memory.counts(name).starts, 1)
    ends()
  })

  test('keeps its lease until the runtime has resumed, and is ended then, if the wake was cancelled', async ({
    assert,
  }) => {
    const { agent, userId, name } = await rested()
    const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const resume = house.memory.resume.bind(house.memory)
    house.memory.resume = async (ref) => {
      begun.resolve()
      await held.promise
      return resume(ref)
    }
    const call = house.lifecycle.ensureRunning(agent).catch((error: unknown) => error)
    await begun.promise
    const { leaseOwner } = await house.row(userId)
    assert.isString(leaseOwner)

    const cancelled = house.lifecycle.cancel(agent)
    for (let look = 0; look < 20; look++) {
      assert.equal((await house.row(userId)).leaseOwner, leaseOwner)
    }
    held.resolve()
    await cancelled
    assert.propertyVal(await call, 'reason', 'cancelled')
    const row = await house.row(userId)
    assert.include(row.$attributes, { status: 'stopped', leaseOwner: null })
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('outlasts new settings: the gateway has them before the next message', async ({
    assert,
  }) => {
    const { agent, name, userId } = await rested()
    const changes = house.settingsRollout()
    house.document = 'document-2'
    assert.equal(await changes.changed(agent), 'asleep')
    changes.close()
    assert.equal(await statusOf(userId), 'suspended')

    const asked: unknown[] = []
    house.applied = async ({ url }, key, former) => {
      asked.push({ url, key, former, status: await statusOf(userId) })
      return 'document-2'
    }
    const { url } = await house.lifecycle.ensureRunning(agent)
    assert.deepEqual(asked, [{ url, key: agent, former: 'document-1', status: 'starting' }])
    assert.include((await house.row(userId)).$attributes, {
      status: 'running',
      documentHash: 'document-2',
    })
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('ends with new settings that need a start', async ({ assert }) => {
    const { agent, name, userId } = await rested()
    house.document = 'document-2'
    await house.lifecycle.ensureRunning(agent)
    assert.equal((await house.row(userId)).documentHash, 'document-2')
    assert.include(house.memory.counts(name), { starts: 2, mostAlive: 1 })
  })

  test('ends with new limits', async ({ assert }) => {
    const { agent, name, userId } = await rested()
    const changes = house.settingsRollout()
    await UserContainer.query()
      .where('user_id', userId)
      .update({ limits: JSON.stringify({ memoryMb: 700 }) })
    assert.equal(await changes.remade(agent), 'asleep')
    changes.close()
    await house.lifecycle.ensureRunning(agent)
    assert.include(house.memory.counts(name), { starts: 2, mostAlive: 1 })
  })

  test('names the settings that the gateway has, until it has the new ones', async ({ assert }) => {
    const { agent, userId } = await rested()
    house.document = 'document-2'
    const begun = Promise.withResolvers<void>()
    house.applied = async () => {
      begun.resolve()
      throw new Error('Mosaic is killed here')
    }
    const woken = house.lifecycle.ensureRunning(agent).catch(() => {})
    await begun.promise
    assert.equal((await house.row(userId)).documentHash, 'document-1')
    await woken
  })

  test('is over before what the agent has planned', async ({ assert }) => {
    const dueAt = house.clock.now() + HOUR_MS
    const { userId } = await rested({ nextJobAt: dueAt })
    const scheduled = new ScheduledWakes(house.context, house.services.backgroundWakes)
    assert.include(await scheduled.wakeDue(), { due: 0 })
    house.clock.advance(dueAt - 120_000 - house.clock.now())
    assert.include(await scheduled.wakeDue(), { due: 1, begun: 1 })
    assert.include(await house.services.backgroundWakes.settled(), { woken: 1 })
    assert.equal(await statusOf(userId), 'running')
    assert.include(await house.rester.rest(), { rested: 0 })
  })

  test('is a stop instead where the scheduler missed a job, so that the next start runs it', async ({
    assert,
  }) => {
    const { name, userId } = await awake({ nextJobAt: house.clock.now() + MINUTE_MS })
    house.clock.advance(5 * MINUTE_MS)
    assert.include(await house.rester.rest(), { rested: 0 })
    assert.equal(await statusOf(userId), 'running')
    house.clock.advance(2 * MINUTE_MS)
    await house.rester.rest()
    assert.equal(await statusOf(userId), 'stopped')
    const scheduled = new ScheduledWakes(house.context, house.services.backgroundWakes)
    assert.include(await scheduled.wakeDue(), { due: 1, begun: 1 })
    assert.include(await house.services.backgroundWakes.settled(), { woken: 1 })
    assert.equal(house.memory.counts(name).starts, 2)
  })

  test('counts as over as soon as the gateway admits a message, and not before', async ({
    assert,
  }) => {
    const { agent } = await awake()
    const gateway = await house.lifecycle.ensureRunning(agent)
    house.clock.advance(5 * MINUTE_MS)
    await house.rester.rest()
    const told: string[] = []
    let atOnce: Promise<number> | null = null
    const unsubscribe = house.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'settings') return
      const state = event.type === 'status' ? event.agent.status : event.progress.stage
      told.push(state)
      if (state === 'ready' || state === 'running') atOnce ??= statusOfChat(gateway)
    })
    await house.lifecycle.ensureRunning(agent)
    await until(() => told.includes('running'))
    unsubscribe()
    assert.equal(await atOnce, 200)
    assert.include(told, 'starting')
  })

  test('goes on when the clock is set back', async ({ assert }) => {
    const { userId } = await rested()
    house.clock.setBack(24 * HOUR_MS)
    assert.include(await sweep(), { stopped: 0, failed: 0 })
    assert.equal(await statusOf(userId), 'suspended')
    house.clock.advance(73 * HOUR_MS)
    assert.include(await sweep(), { stopped: 1 })
  })

  test('lost with its engine is a cold start, and no crash', async ({ assert }) => {
    const { agent, name, userId } = await rested()
    await house.memory.crash(name)
    assert.include(await house.reconciler.reconcile(), { gone: 1 })
    const row = await house.row(userId)
    assert.deepEqual([row.status, row.statusReason, row.crashCount], ['stopped', null, 0])
    assert.isString((await house.lifecycle.ensureRunning(agent)).url)
    assert.equal(house.memory.counts(name).starts, 2)
  })
})

/** Sends a message to the gateway itself. Returns the status of its answer. */
async function statusOfChat({ url, token }: GatewayAccess): Promise<number> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }),
  })
  return answer.status
}

import { test } from '@japa/runner'
import { agentsOf } from '#agents/changes/settings_rollout'
import type { AgentKey } from '#agents/types'
import type { SettingsRollout } from '#agents/changes/settings_rollout'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import SystemContainer from '#models/system_container'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

test.group('New settings of an agent', (group) => {
  const house = eachHouse(group)
  let changes: SettingsRollout
  /** Hash of the document that a running agent has applied; null if it must restart. */
  let live: string | null

  group.each.setup(() => {
    live = null
    changes = house.settingsRollout(async () => live)
    return () => changes.close()
  })

  /** Collects the events that report how settings reached the agent. */
  const heard = (agent: AgentKey) => {
    const told: string[] = []
    house.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'settings') told.push(event.outcome)
    })
    return told
  }
  const starts = (name: string) => house.memory.counts(name).starts

  test('that leave its document as it was do nothing', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    assert.equal(await changes.changed(agent), 'unchanged')
    assert.equal(starts(name), 1)
  })

  test('reach an agent that sleeps at its next wake', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    assert.equal(await changes.changed(agent), 'asleep')
    assert.equal(starts(name), 0)

    house.document = 'document-2'
    await house.lifecycle.ensureRunning(agent)
    assert.equal((await house.row(userId)).documentHash, 'document-2')
  })

  test('restart an agent that has nothing to do, at once', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.document = 'document-2'
    assert.equal(await changes.changed(agent), 'restarted')
    assert.equal(starts(name), 2)
    assert.include((await house.row(userId)).$attributes, {
      status: 'running',
      documentHash: 'document-2',
    })
  })

  test('that OpenClaw takes over while it runs restart nothing, and wait for nothing', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const told = heard(agent)
    house.activity.begin(agent)
    house.document = live = 'document-2'
    assert.equal(await changes.changed(agent), 'applied')
    assert.equal(starts(name), 1)
    assert.equal((await house.row(userId)).documentHash, 'document-2')
    assert.equal(await changes.changed(agent), 'unchanged')
    assert.deepEqual(told.slice(0, 1), ['applied'])

    house.lifecycle.invalidate(agent)
    await house.lifecycle.ensureRunning(agent)
    assert.equal(starts(name), 1)
  })

  /** Applies the current document as OpenClaw does; the first time only once released. */
  function heldLive() {
    const begun = Promise.withResolvers<void>()
    const held = Promise.withResolvers<void>()
    const applied: string[] = []
    const apply = async () => {
      const wanted = house.document!
      begun.resolve()
      if (applied.push(wanted) === 1) await held.promise
      return wanted
    }
    return { apply, applied, begun: begun.promise, release: held.resolve }
  }

  test('that are changed again while they are applied are applied again', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const { apply, applied, begun, release } = heldLive()
    changes = house.settingsRollout(apply)
    house.document = 'document-a'
    const first = changes.changed(agent)
    await begun
    house.document = 'document-b'
    const others = Array.from({ length: 14 }, () => changes.changed(agent))
    release()
    assert.deepEqual(new Set(await Promise.all([first, ...others])), new Set(['applied']))
    assert.deepEqual(applied, ['document-a', 'document-b'])
    assert.equal((await house.row(userId)).documentHash, 'document-b')
    assert.equal(starts(name), 1)
  })

  test('that another replica of Mosaic changes meanwhile are applied by it, without a restart', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const other = house.nextProcess()
    const { apply, applied, begun, release } = heldLive()
    changes = house.settingsRollout(apply)
    house.document = 'document-a'
    const here = changes.changed(agent)
    await begun
    house.document = other.document = 'document-b'
    const there = other.settingsRollout(apply).changed(agent)
    release()
    assert.deepEqual(await Promise.all([here, there]), ['applied', 'applied'])
    assert.equal(applied.at(-1), 'document-b')
    assert.equal((await house.row(userId)).documentHash, 'document-b')
    assert.equal(starts(name), 1)
  })

  test('that never settle end after some rounds, and are logged', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    let version = 10
    let rounds = 0
    house.context.documents.forAgent = async () => ({ hash: `document-${++version}` })
    changes = house.settingsRollout(async () => `applied-${++rounds}`)
    assert.equal(await changes.changed(agent), 'applied')
    assert.equal(rounds, 5)
    assert.equal(starts(name), 1)
    assert.include(
      house.logged.map(({ message }) => message),
      'The settings of an agent differ after each rollout'
    )
  })

  test('get through in the end when something goes wrong on the way', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    let tries = 0
    changes = house.settingsRollout(async () => {
      if (++tries < 3) throw new Error('The line broke')
      return house.document
    })
    house.document = 'document-2'
    assert.equal(await changes.changed(agent), 'applied')
    assert.equal((await house.row(userId)).documentHash, 'document-2')
  })

  test('have new messages wait until they are in, and ten seconds at most', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    assert.isNull(house.lifecycle.rollout(agent))
    for (const end of ['applied', 'late'] as const) {
      const { apply, begun, release } = heldLive()
      changes = house.settingsRollout(apply)
      house.document = `document-${end}`
      const outcome = changes.changed(agent)
      const waiting = house.lifecycle.rollout(agent)
      assert.isNotNull(waiting)
      await begun
      if (end === 'late') house.clock.advance(10_000)
      else release()
      await waiting
      assert.isNull(house.lifecycle.rollout(agent))
      release()
      assert.equal(await outcome, 'applied')
    }
  })

  test('have new messages join the wake that a restart for them begins', async ({ assert }) => {
    const { agent, userId } = await house.newAgent()
    const former = await house.lifecycle.ensureRunning(agent)
    house.document = 'document-2'
    const outcome = changes.changed(agent)
    await house.lifecycle.rollout(agent)
    const present = await house.lifecycle.ensureRunning(agent)
    assert.notEqual(present.url, former.url)
    assert.equal((await house.row(userId)).documentHash, 'document-2')
    assert.equal(await outcome, 'restarted')
  })

  test('that need a restart are told before and after', async ({ assert }) => {
    const { agent } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const told = heard(agent)
    house.document = 'document-2'
    await changes.changed(agent)
    await until(() => told.length === 2)
    assert.deepEqual(told, ['restarting', 'restarted'])
  })

  test('wait for what is in flight, and take what came meanwhile along', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const end = house.activity.begin(agent)
    const told = heard(agent)
    house.document = 'document-2'
    const first = changes.changed(agent)
    await until(() => told.includes('restarting'))
    house.document = 'document-3'
    const second = changes.changed(agent)
    assert.equal(starts(name), 1)

    end()
    assert.deepEqual(await Promise.all([first, second]), ['restarted', 'restarted'])
    assert.equal(starts(name), 2)
    assert.equal((await house.row(userId)).documentHash, 'document-3')
  })

  test('do not wait for ever', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    house.memory.behave(name, { working: true })
    await house.lifecycle.ensureRunning(agent)
    house.activity.begin(agent)
    house.document = 'document-2'
    const told = heard(agent)
    const change = changes.changed(agent)
    await until(() => told.includes('restarting'))
    house.clock.advance(10 * 60_000)
    assert.equal(await change, 'restarted')
    assert.equal(starts(name), 2)
  })

  test('in the middle of a wake are taken by it, before anyone speaks to the agent', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    house.memory.behave(name, { bootMs: 1000 })
    const wake = house.lifecycle.ensureRunning(agent)
    await until(() => starts(name) === 1)
    house.document = 'document-2'
    const change = changes.changed(agent)
    await wake
    assert.equal((await house.row(userId)).documentHash, 'document-2')
    assert.equal(await change, 'unchanged')
    assert.equal(starts(name), 2)
    assert.equal(house.memory.counts(name).alive, 1)
  })

  test('without end do not keep an agent from waking', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    let version = 0
    house.context.documents.forAgent = async () => ({ hash: `document-${++version}` })
    await house.lifecycle.ensureRunning(agent)
    assert.equal(starts(name), 3)
    assert.equal((await house.row(userId)).status, 'running')
  })

  test('that take the last provider away leave the agent as it is', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.document = null
    assert.equal(await changes.changed(agent), 'no_provider')
    assert.equal(house.memory.counts(name).alive, 1)
  })

  test('end the wait after a failure, which they may have been the cause of', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    house.driver.chaos.ensure = { bad: 'config_rejected' }
    await house.lifecycle.ensureRunning(agent).catch(() => {})
    house.driver.chaos.ensure = {}
    house.document = 'document-2'
    await changes.changed(agent)
    assert.isString((await house.lifecycle.ensureRunning(agent)).url)
  })

  test("concern the user's own agent, and system agents on one of the user's providers", async ({
    assert,
  }) => {
    const provider = await LlmProviderFactory.with('user').create()
    const other = await LlmProviderFactory.with('user').create()
    const common = { role: 'operations', isActive: true, desired: 'stopped' as const }
    const system = await SystemContainer.create({ ...common, name: 'a', providerId: provider.id })
    await SystemContainer.create({ ...common, name: 'b', providerId: other.id })
    assert.deepEqual(await agentsOf(provider.userId), [
      `user/${provider.userId}`,
      `system/${system.id}`,
    ])
  })
})

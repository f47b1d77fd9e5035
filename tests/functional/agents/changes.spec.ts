import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { agentsOf } from '#agents/changes/affected_agents'
import type { AgentKey } from '#agents/types'
import { SettingsRollout } from '#agents/changes/settings_rollout'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import SystemContainer from '#models/system_container'
import { AgentsHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'

test.group('New settings of an agent', (group) => {
  let house: AgentsHouse
  let changes: SettingsRollout
  /** The hash that a running agent takes over; null = it has to start anew. */
  let live: string | null

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    house = new AgentsHouse()
    live = null
    changes = new SettingsRollout(house.context, house.lifecycle, house.activity, {
      apply: async () => live,
    })
    return async () => {
      changes.close()
      await house.close()
    }
  })

  /** How a page is told that settings reach the agent. */
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

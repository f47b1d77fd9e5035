import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import type { SettingsRollout } from '#agents/changes/settings_rollout'
import { LimitChanges } from '#agents/changes/agent_limits'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'
import AuditEvent from '#models/audit_event'
import type { AgentLimits } from '#models/types'
import settings from '#settings/services/main'
import { eachHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/doubles/test_clock'
import { Visitor } from '#tests/visitor'

test.group('Limits of one user’s agent', (group) => {
  const house = eachHouse(group)
  let changes: SettingsRollout

  group.each.setup(() => {
    changes = house.settingsRollout(async () => house.document)
    return () => changes.close()
  })

  /** Sets limits as an admin does and returns the outcome. */
  async function set(userId: string, limits: AgentLimits | null) {
    const admin = await UserFactory.apply('admin').create()
    const outcomes: Promise<unknown>[] = []
    const remake = (agent: `user/${string}` | `system/${string}`) => {
      const outcome = changes.remade(agent)
      outcomes.push(outcome)
      return outcome
    }
    const service = new LimitChanges(remake, await app.container.make('audit'))
    await service.set((await house.row(userId)).id, limits, { user: admin, address: '127.0.0.1' })
    return Promise.all(outcomes)
  }
  const limitsOf = (name: string) => house.world.instances.get(name)?.spec.limits
  const starts = (name: string) => house.memory.counts(name).starts

  test('stand in place of the installation’s, one by one', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.services.rows.provide(agent)
    assert.deepEqual(await set(userId, { memoryMb: 4096 }), ['asleep'])
    await house.lifecycle.ensureRunning(agent)
    assert.deepEqual(limitsOf(name), { memoryMb: 4096, cpus: 2, processes: 512 })
    assert.equal(starts(name), 1)
  })

  test('give an agent that runs another instance, once nothing is in flight', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    const end = house.activity.begin(agent)
    const told: string[] = []
    house.lifecycle.subscribe(agent, (event) => {
      if (event.type === 'settings') told.push(event.outcome)
    })
    const change = set(userId, { cpus: 0.5 })
    await until(() => told.includes('restarting'))
    assert.equal(starts(name), 1)

    end()
    assert.deepEqual(await change, ['restarted'])
    assert.deepEqual(limitsOf(name), { memoryMb: 2048, cpus: 0.5, processes: 512 })
    assert.equal(starts(name), 2)
    assert.equal(house.memory.counts(name).alive, 1)
    assert.equal(await changes.changed(agent), 'unchanged')
  })

  test('are taken by a start of which a new document is the cause', async ({ assert }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.lifecycle.ensureRunning(agent)
    house.document = 'document-2'
    const [, outcomes] = await Promise.all([changes.changed(agent), set(userId, { processes: 64 })])
    assert.deepEqual(outcomes, ['restarted'])
    assert.equal(limitsOf(name)?.processes, 64)
  })

  test('that are as they were change nothing, and taken away are the installation’s', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.services.rows.provide(agent)
    await set(userId, { memoryMb: 1024, cpus: 1 })
    await house.lifecycle.ensureRunning(agent)
    assert.deepEqual(await set(userId, { cpus: 1, memoryMb: 1024 }), [])
    assert.equal(starts(name), 1)

    assert.deepEqual(await set(userId, {}), ['restarted'])
    assert.isNull((await house.row(userId)).limits)
    assert.deepEqual(limitsOf(name), { memoryMb: 2048, cpus: 2, processes: 512 })
  })
})

test.group('Limits of one user’s agent over HTTP', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  async function as(role: 'admin' | 'member') {
    const user = await UserFactory.merge({ role }).create()
    const token = await (await app.container.make('identity.tokens')).create(user, { name: 'test' })
    const authorization = `Bearer ${token.value!.release()}`
    return { user, visitor: new Visitor({ headers: { authorization } }) }
  }
  const newRow = async () =>
    UserContainerFactory.merge({ userId: (await UserFactory.create()).id }).create()

  test('are set by admins, and noted', async ({ assert }) => {
    const { user, visitor } = await as('admin')
    const row = await newRow()
    const limits = { memoryMb: 4096, processes: 1024 }
    const { status, body } = await visitor.patch(`/api/v1/admin/agents/${row.id}`, { limits })
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual(body.data.limits, limits)
    assert.notInclude(JSON.stringify(body), 'gatewayToken')

    const listed = await visitor.get('/api/v1/admin/agents')
    assert.deepEqual(listed.body.data[0].limits, limits)
    const event = await AuditEvent.query().where('action', 'agent.limits_changed').firstOrFail()
    assert.equal(event.actorId, user.id)
    assert.equal(event.subjectId, row.userId)
    assert.deepEqual(event.details, { limits })
  })

  test('are refused where they could not hold, and changed by nobody else', async ({ assert }) => {
    const { visitor } = await as('admin')
    const row = await newRow()
    const path = `/api/v1/admin/agents/${row.id}`
    for (const [limits, field] of [
      [{ memoryMb: 64 }, 'limits.memoryMb'],
      [{ cpus: 0 }, 'limits.cpus'],
      [{ processes: 64.5 }, 'limits.processes'],
      ['all', 'limits'],
      [undefined, 'limits'],
    ] as const) {
      const { status, body } = await visitor.patch(path, { limits })
      assert.equal(status, 422, JSON.stringify(limits))
      assert.equal(body.errors[0].field, field)
    }
    const member = await as('member')
    assert.equal((await member.visitor.patch(path, { limits: null })).status, 403)
    assert.equal((await visitor.patch('/api/v1/admin/agents/none', { limits: null })).status, 404)
    await row.refresh()
    assert.isNull(row.limits)
  })
})

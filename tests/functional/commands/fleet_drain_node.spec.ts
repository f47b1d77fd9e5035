import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import AgentStart from '#commands/agent_start'
import AgentStop from '#commands/agent_stop'
import FleetDrainNode from '#commands/fleet_drain_node'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserFactory } from '#database/factories/user_factory'
import AuditEvent from '#models/audit_event'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import settings from '#settings/services/main'
import { adminSession } from '#tests/admin_session'
import type { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { runCommand } from '#tests/operator'

const TWO = [{ name: 'one' }, { name: 'other' }]

test.group('Nodes of a runtime', (group) => {
  let memory: MemoryDriver

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await settings.set('runtime.driver', 'memory')
    const runtimes = await app.container.make('runtime.manager')
    memory = (await runtimes.use('memory')) as MemoryDriver
    await memory.reset()
    app.container.bindValue('agents.nodes', await fresh())
    ace.ui.switchMode('raw')
    return async () => {
      ace.ui.switchMode('normal')
      await memory.reset()
    }
  })

  /** The list of nodes is kept for some seconds. */
  async function fresh() {
    const { FleetNodes } = await import('#agents/fleet/fleet_nodes')
    return new FleetNodes(await app.container.make('agents.context'))
  }

  async function awake() {
    const user = await UserFactory.create()
    await LlmProviderFactory.merge({ userId: user.id }).create()
    await runCommand(AgentStart, [user.email!])
    return { user, name: `mosaic-user-${user.id}` }
  }

  async function awakeSystemAgent() {
    const admin = await UserFactory.apply('admin').create()
    await LlmProviderFactory.merge({ userId: admin.id, name: 'work' }).create()
    const system = await app.container.make('agents.system')
    const input = { name: 'mosaic-system-ops', role: 'operations', primaryModel: 'work/test-model' }
    const row = await system.create({ ...input, isActive: false }, { user: admin, address: null })
    await row.merge({ isActive: true, desired: 'running' }).save()
    const lifecycle = await app.container.make('agents.lifecycle')
    await lifecycle.startAndWait(`system/${row.id}`)
    return row
  }

  async function drain(...args: string[]) {
    const { exitCode, out, err } = await runCommand(FleetDrainNode, [...args, '--json'])
    return { exitCode, err, ...(out && JSON.parse(out)) }
  }

  test('with shared data agents leave a drained node, and wake on another', async ({ assert }) => {
    const nodes = memory.spread(TWO, { isShared: true })
    const [first, second] = [await awake(), await awake()]
    const system = await awakeSystemAgent()
    const place = nodes.nodeOf(system.name)!
    const [here, there] = [first, second].toSorted((a) => (nodes.nodeOf(a.name) === place ? -1 : 1))

    const drained = await drain(place)
    assert.containsSubset(drained, { exitCode: 0, dryRun: false, waiting: [], failed: [] })
    assert.deepEqual(drained.node, { id: `id-${place}`, name: place })
    assert.deepEqual(drained.stopped, [here.name])
    assert.deepEqual(drained.moved, [system.name])
    assert.notEqual(nodes.nodeOf(system.name), place)
    assert.equal((await SystemContainer.findOrFail(system.id)).status, 'running')
    assert.equal(memory.counts(here.name).alive, 0)
    assert.equal(memory.counts(there.name).stops, 0)

    await runCommand(AgentStart, [here.user.email!])
    assert.equal(nodes.nodeOf(here.name), nodes.nodeOf(there.name))
    const [event] = await AuditEvent.query().where('action', 'node.drained')
    assert.containsSubset(event.details, { name: place, runtime: 'memory', agents: 2 })
  })

  test('a person’s agent that always runs moves, like those of the system', async ({ assert }) => {
    const nodes = memory.spread(TWO, { isShared: true })
    const { user, name } = await awake()
    await UserContainer.query().where('user_id', user.id).update({ wake_policy: 'always_on' })
    const place = nodes.nodeOf(name)!
    assert.containsSubset(await drain(place, '--dry-run'), { moved: [name], stopped: [] })
    assert.containsSubset(await drain(place), { moved: [name], stopped: [], failed: [] })
    const row = await UserContainer.findByOrFail('user_id', user.id)
    assert.include(row.$attributes, { status: 'running', desired: 'running' })
    assert.notEqual(nodes.nodeOf(name), place)
  })

  test('agents with data on the node alone wait until it is reopened', async ({ assert }) => {
    const nodes = memory.spread(TWO)
    const here = await awake()
    const place = nodes.nodeOf(here.name)!
    const there = await awake()
    const asleep = await awake()
    await runCommand(AgentStop, [asleep.user.email!])

    const wouldWait = [here.name, asleep.name]
    const dry = await drain(place, '--dry-run')
    assert.containsSubset(dry, { exitCode: 0, dryRun: true, stopped: [here.name] })
    assert.sameMembers(dry.waiting, wouldWait)
    assert.equal(memory.counts(here.name).alive, 1)

    const drained = await drain(place)
    assert.containsSubset(drained, { exitCode: 0, stopped: [here.name], failed: [] })
    assert.sameMembers(drained.waiting, wouldWait)
    assert.equal(memory.counts(there.name).stops, 0)

    const refused = await runCommand(AgentStart, [here.user.email!])
    assert.match(refused.err, /^E_AGENT_NO_CAPACITY/)
    assert.deepInclude(await drain(place, '--reopen'), { exitCode: 0, reopened: true })
    const { exitCode } = await runCommand(AgentStart, [here.user.email!])
    assert.equal(exitCode, 0)
    assert.equal(nodes.nodeOf(here.name), place)
    assert.lengthOf(await AuditEvent.query().where('action', 'node.reopened'), 1)
  })

  test('an agent of the system whose data stays waits, and has not failed', async ({ assert }) => {
    const nodes = memory.spread(TWO)
    const system = await awakeSystemAgent()
    const drained = await drain(nodes.nodeOf(system.name)!)
    assert.containsSubset(drained, { exitCode: 0, moved: [], failed: [], waiting: [system.name] })
    const { desired, statusReason } = await SystemContainer.findOrFail(system.id)
    assert.deepEqual({ desired, statusReason }, { desired: 'running', statusReason: 'no_capacity' })
  })

  test('says what it did in a sentence each', async ({ assert }) => {
    const nodes = memory.spread(TWO)
    const { name } = await awake()
    const { out } = await runCommand(FleetDrainNode, [nodes.nodeOf(name)!])
    assert.include(out, 'is drained.\n1 asleep, 0 moved, 1 wait for it, 0 failed.')
    assert.include(out, `their data is on this node alone: ${name}.`)
  })

  test('needs a node that the runtime has, and a runtime that has nodes', async ({ assert }) => {
    const without = await drain('one')
    assert.equal(without.exitCode, 1)
    assert.match(without.err, /^E_RUNTIME_WITHOUT_NODES: The runtime "memory" .+\n.+/)
    memory.spread([...TWO, { name: 'one' }])
    const unknown = await drain('nobody')
    assert.match(unknown.err, /^E_UNKNOWN_NODE: .+"nobody".+\nName one of these: one, other, one\./)
    assert.match((await drain('one')).err, /^E_AMBIGUOUS_NODE: /)
    assert.lengthOf(await AuditEvent.query().whereLike('action', 'node.%'), 0)
  })

  test('are listed for admins with the load of each, and only if there are several', async ({
    assert,
  }) => {
    const { visitor } = await adminSession()
    const none = await visitor.get('/api/v1/admin/nodes')
    assert.deepEqual(none.body.data, [])

    const nodes = memory.spread(TWO)
    app.container.bindValue('agents.nodes', await fresh())
    const { name } = await awake()
    const place = nodes.nodeOf(name)!
    await nodes.drain(place === 'one' ? 'id-other' : 'id-one')
    const { body } = await visitor.get('/api/v1/admin/nodes')
    const row = await UserContainer.findByOrFail('containerName', name)
    assert.equal(row.status, 'running')
    assert.deepEqual(
      body.data.map((node: any) => [node.name === place, node.state, node.agents]).toSorted(),
      [
        [false, 'drained', 0],
        [true, 'ready', 1],
      ]
    )
    const mine = body.data.find((node: any) => node.name === place)
    assert.isAbove(mine.memory.promised, 0)
    assert.notProperty(mine, 'instances')
    assert.equal(body.meta.total, 2)
  })
})

import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { AgentsHouse } from '#tests/doubles/agents_house'
import { until } from '#tests/contracts/until'

test.group('Events of a runtime', (group) => {
  let house: AgentsHouse

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    house = new AgentsHouse()
    return () => house.close()
  })

  async function awake() {
    const made = await house.newAgent()
    await house.lifecycle.ensureRunning(made.agent)
    return made
  }

  test('that agents ended have their addresses forgotten at once, however long the runtime takes to look', async ({
    assert,
    cleanup,
  }) => {
    const watch = house.runtimeEvents()
    cleanup(() => watch.close())
    const agents = await Promise.all(Array.from({ length: 12 }, awake))
    const looks = Promise.withResolvers<void>()
    const inspect = house.memory.inspect.bind(house.memory)
    house.memory.inspect = async (ref) => {
      await looks.promise
      return inspect(ref)
    }
    for (const { name } of agents) await house.memory.crash(name)
    await until(async () => agents.every(({ agent }) => house.lifecycle.peek(agent) === null))

    looks.resolve()
    for (const { userId } of agents) {
      await until(async () => (await house.row(userId)).status !== 'running')
      assert.equal((await house.row(userId)).status, 'error')
    }
  })

  test('are heeded although looks at earlier ones never end', async ({ assert }) => {
    /** A process that does not know the agents' names. */
    const next = house.nextProcess()
    const watch = next.runtimeEvents()
    const agents = await Promise.all(Array.from({ length: 9 }, awake))
    next.driver.chaos.inspect = { never: true }
    for (const { name } of agents) await house.memory.crash(name)
    await until(async () => next.driver.calls.inspect === 8)
    house.clock.advance(house.context.timeouts.inspectMs)
    await until(async () => next.driver.calls.inspect === 9)
    assert.equal(next.driver.calls.inspect, 9)
    house.clock.advance(house.context.timeouts.inspectMs)
    await watch.close()
  })

  test('that may have been missed have all addresses forgotten', async ({ assert, cleanup }) => {
    const watch = house.runtimeEvents()
    cleanup(() => watch.close())
    const { agent, name } = await awake()
    house.world.emit('interrupted', '', house.clock.now())
    await until(async () => house.lifecycle.peek(agent) === null)
    await house.lifecycle.ensureRunning(agent)
    assert.equal(house.memory.counts(name).starts, 1)
  })

  test('that were missed give nobody the token of an agent that ended', async ({ assert }) => {
    const { agent, name } = await awake()
    const other = house.nextProcess()
    assert.isNotNull(await other.lifecycle.running(agent))
    await house.memory.crash(name)
    assert.isNull(await other.lifecycle.running(agent))
  })
})

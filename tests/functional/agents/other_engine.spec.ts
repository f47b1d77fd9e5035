import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import type { AgentKey } from '#agents/types'
import { AgentsHouse } from '#tests/doubles/agents_house'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'

test.group('An agent whose runtime leads to another engine', (group) => {
  let house: AgentsHouse
  const worlds: MemoryWorld[] = []

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    house = new AgentsHouse()
    return async () => {
      await house.close()
      for (const { instances } of worlds.splice(0)) {
        for (const instance of instances.values()) await instance.gateway?.stop()
      }
    }
  })

  /** Lets the runtime "other" lead to an engine, a new one by default. */
  function leadTo(world = new MemoryWorld()): MemoryWorld {
    house.runtimes.other = new MemoryDriver({ world, now: house.clock.now, name: 'other' }, 'house')
    worlds.push(world)
    return world
  }

  const strandedBy = async (agent: AgentKey) =>
    (await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)).code

  test('does not start there without its memory, and goes on once its own is back', async ({
    assert,
  }) => {
    house.settings['runtime.driver'] = 'other'
    const first = leadTo()
    const { agent, name } = await house.newAgent()
    await house.chat(agent)
    await house.lifecycle.stop(agent)

    const second = leadTo()
    assert.equal(await strandedBy(agent), 'E_AGENT_DATA_STRANDED')
    assert.isFalse(second.data.has(name))
    const said = JSON.stringify(house.logged.map(({ details }) => String((details as any).err)))
    assert.include(said, first.id)

    leadTo(first)
    assert.match(await house.chat(agent), /^Turn 2/)
  })

  test('leaves for no other runtime without its memory', async ({ assert }) => {
    house.settings['runtime.driver'] = 'other'
    const first = leadTo()
    const { agent, name } = await house.newAgent()
    await house.chat(agent)
    await house.lifecycle.stop(agent)

    leadTo()
    house.settings['runtime.driver'] = 'memory'
    assert.equal(await strandedBy(agent), 'E_AGENT_DATA_STRANDED')
    assert.isFalse(house.world.data.has(name))

    leadTo(first)
    assert.match(await house.chat(agent), /^Turn 2/)
  })

  test('does not lose what a move brought before its first start', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.chat(agent)
    await house.lifecycle.stop(agent)
    const first = leadTo()
    house.settings['runtime.driver'] = 'other'
    const driver = house.runtimes.other as MemoryDriver
    driver.behave(name, { refuse: 'no_capacity' })
    await strandedBy(agent)
    assert.isTrue(first.data.has(name))

    leadTo()
    house.clock.advance(10 * 60_000)
    assert.equal(await strandedBy(agent), 'E_AGENT_DATA_STRANDED')

    driver.behave(name, { refuse: undefined })
    leadTo(first)
    assert.match(await house.chat(agent), /^Turn 2/)
  })
})

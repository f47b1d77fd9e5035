import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import type { WakeProgress } from '#agents/types'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'
import { AgentsHouse } from '#tests/doubles/agents_house'
import { ChaosDriver } from '#tests/doubles/chaos_driver'

test.group('An agent on its way to another runtime', (group) => {
  let house: AgentsHouse
  let world: MemoryWorld
  let other: ChaosDriver

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    house = new AgentsHouse()
    world = new MemoryWorld()
    const memory = new MemoryDriver({ world, now: house.clock.now, name: 'other' }, 'house')
    other = new ChaosDriver(memory)
    house.runtimes.other = other
    return async () => {
      await house.close()
      for (const instance of world.instances.values()) await instance.gateway?.stop()
    }
  })

  const choose = (name: string) => (house.settings['runtime.driver'] = name)

  /** A stopped agent that remembers one turn, after another runtime was chosen. */
  async function asleepBeforeTheMove() {
    const made = await house.newAgent()
    await house.chat(made.agent, 'first')
    await house.lifecycle.stop(made.agent)
    choose('other')
    return made
  }

  test('wakes there with all that it remembers', async ({ assert }) => {
    const { agent, name, userId } = await asleepBeforeTheMove()
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
    assert.equal((await house.row(userId)).runtime, 'other')
    assert.isTrue(world.instances.has(name))
  })

  test('leaves nothing behind', async ({ assert }) => {
    const { agent, name } = await asleepBeforeTheMove()
    await house.lifecycle.ensureRunning(agent)
    assert.isFalse(house.world.data.has(name))
    assert.isFalse(house.world.instances.has(name))
  })

  test('tells its owner what takes the time', async ({ assert }) => {
    const { agent } = await asleepBeforeTheMove()
    const told: WakeProgress[] = []
    await house.lifecycle.ensureRunning(agent, { onProgress: (progress) => told.push(progress) })
    assert.include(
      told.map(({ detail }) => detail),
      "Moving the agent's data"
    )
  })

  test('moves while it runs too, and never runs in both', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.chat(agent, 'first')
    choose('other')
    await house.lifecycle.restartAndWait(agent)
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
    assert.equal(house.memory.counts(name).alive, 0)
  })

  test('comes back as it left', async ({ assert }) => {
    const { agent } = await asleepBeforeTheMove()
    await house.chat(agent, 'second')
    await house.lifecycle.stop(agent)
    choose('memory')
    assert.match(await house.chat(agent, 'third'), /^Turn 3/)
  })

  test('with nothing to take along, it just starts', async ({ assert }) => {
    const { agent, name, userId } = await asleepBeforeTheMove()
    house.world.data.delete(name)
    assert.match(await house.chat(agent, 'second'), /^Turn 1/)
    assert.equal((await house.row(userId)).runtime, 'other')
  })

  for (const verb of ['exportData', 'importData'] as const) {
    test(`stays where it is when ${verb} fails, and moves at the next wake`, async ({ assert }) => {
      const { agent, name, userId } = await asleepBeforeTheMove()
      const driver = verb === 'exportData' ? house.driver : other
      driver.chaos[verb] = { bad: 'no_capacity' }
      await assert.rejects(() => house.lifecycle.ensureRunning(agent))

      const row = await house.row(userId)
      assert.include(row.$attributes, { runtime: 'memory', statusReason: 'no_capacity' })
      assert.isTrue(house.world.data.has(name))
      assert.isFalse(world.instances.has(name))

      driver.chaos[verb] = {}
      house.clock.advance(10 * 60_000)
      assert.match(await house.chat(agent, 'second'), /^Turn 2/)
    })
  }

  test('does not start without its data where that cannot be moved, and says why', async ({
    assert,
  }) => {
    const { agent, name } = await asleepBeforeTheMove()
    other.importData = undefined
    const error = await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
    assert.equal(error.code, 'E_AGENT_DATA_STRANDED')
    assert.isTrue(house.world.data.has(name))
    assert.isFalse(world.instances.has(name))
    const said = JSON.stringify(house.logged.map(({ details }) => String((details as any).err)))
    assert.include(said, 'The runtime \\"other\\" cannot move the data of agents')
  })

  test('does not take along more than may move, and says so once', async ({ assert }) => {
    const { agent, name, userId } = await asleepBeforeTheMove()
    house.settings['runtime.moveMb'] = 1
    const text = 'x'.repeat(2 * 1024 * 1024)
    house.world.data.get(name)!.set('agent:main:large', [{ role: 'user', text, at: 0 }])
    const error = await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
    assert.equal(error.code, 'E_AGENT_DATA_STRANDED')
    assert.include((await house.row(userId)).$attributes, { runtime: 'memory', retryAt: null })
    assert.isFalse(world.data.has(name))
    const said = JSON.stringify(house.logged.map(({ details }) => String((details as any).err)))
    assert.include(said, 'larger than the 1 MB that may move')

    house.settings['runtime.moveMb'] = 8
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
  })

  test('starts at once when the runtime is chosen again that its data is in', async ({
    assert,
  }) => {
    const { agent } = await asleepBeforeTheMove()
    other.importData = undefined
    await assert.rejects(() => house.lifecycle.ensureRunning(agent))
    choose('memory')
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
  })

  test('does not start empty where its former runtime is gone, and has it all once that is back', async ({
    assert,
  }) => {
    const { agent, name, userId } = await asleepBeforeTheMove()
    await house.chat(agent, 'second')
    await house.lifecycle.stop(agent)
    choose('memory')
    delete house.runtimes.other
    for (let tries = 0; tries < 2; tries++) {
      const error = await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
      assert.equal(error.code, 'E_AGENT_DATA_STRANDED')
    }
    const row = await house.row(userId)
    assert.include(row.$attributes, { runtime: 'other', status: 'error', retryAt: null })
    assert.include(await house.lifecycle.describe(agent), { reason: 'data_stranded' })
    assert.isFalse(house.world.data.has(name))
    const said = JSON.stringify(house.logged.map(({ details }) => String((details as any).err)))
    assert.include(said, 'in the runtime \\"other\\", which is not installed any more')

    house.runtimes.other = other
    assert.match(await house.chat(agent, 'third'), /^Turn 3/)
  })

  test('says that the runtime is missing which the settings choose, and starts once it is back', async ({
    assert,
  }) => {
    const { agent } = await house.newAgent()
    choose('other')
    delete house.runtimes.other
    const error = await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
    assert.equal(error.code, 'E_AGENT_ENGINE_UNREACHABLE')
    const said = JSON.stringify(house.logged.map(({ details }) => String((details as any).err)))
    assert.include(said, 'The runtime \\"other\\" is not installed.')

    house.runtimes.other = other
    house.clock.advance(10 * 60_000)
    assert.match(await house.chat(agent, 'first'), /^Turn 1/)
  })

  test('never leaves a removed runtime that its data is in, even if that one is chosen still', async ({
    assert,
  }) => {
    const { agent, userId } = await asleepBeforeTheMove()
    await house.chat(agent, 'second')
    await house.lifecycle.stop(agent)
    delete house.runtimes.other
    const error = await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
    assert.equal(error.code, 'E_AGENT_DATA_STRANDED')

    house.runtimes.third = house.driver
    choose('third')
    const again = await house.lifecycle.ensureRunning(agent).catch((thrown) => thrown)
    assert.equal(again.code, 'E_AGENT_DATA_STRANDED')
    assert.equal((await house.row(userId)).runtime, 'other')
  })

  /** Plants data of an earlier stay in the other runtime: four turns. */
  async function leftThere(name: string): Promise<void> {
    const said = Array.from({ length: 4 }, (_, at) => ({ role: 'user' as const, text: 'old', at }))
    world.data.set(name, new Map([['agent:main:k', said]]))
  }

  test('drops what the move replaced once it runs with what it brought', async ({ assert }) => {
    const { agent, name } = await asleepBeforeTheMove()
    await leftThere(name)
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
    assert.isFalse(world.replaced.has(name))
  })

  test('keeps what the move replaced as long as it does not start', async ({ assert }) => {
    const { agent, name, userId } = await asleepBeforeTheMove()
    await leftThere(name)
    other.chaos.ensure = { bad: 'no_capacity' }
    await assert.rejects(() => house.lifecycle.ensureRunning(agent))
    assert.equal((await house.row(userId)).runtime, 'other')
    assert.isTrue(world.replaced.has(name))

    other.chaos.ensure = {}
    house.clock.advance(10 * 60_000)
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
    assert.isFalse(world.replaced.has(name))
  })

  test('goes back with its data where it did not start, and leaves there what it found', async ({
    assert,
  }) => {
    const { agent, name } = await asleepBeforeTheMove()
    await leftThere(name)
    other.chaos.ensure = { bad: 'no_capacity' }
    await assert.rejects(() => house.lifecycle.ensureRunning(agent))
    choose('memory')
    house.clock.advance(10 * 60_000)
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
    assert.isFalse(world.data.has(name))
    assert.lengthOf(world.replaced.get(name)!.get('agent:main:k')!, 4)
  })

  test('has its data where going back was interrupted', async ({ assert }) => {
    const { agent, name } = await asleepBeforeTheMove()
    await leftThere(name)
    other.chaos.ensure = { bad: 'no_capacity' }
    await assert.rejects(() => house.lifecycle.ensureRunning(agent))
    choose('memory')
    other.chaos.undoImport = { lost: true, bad: 'engine_unreachable' }
    house.clock.advance(10 * 60_000)
    await assert.rejects(() => house.lifecycle.ensureRunning(agent))
    other.chaos.undoImport = {}
    house.clock.advance(10 * 60_000)
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
  })

  test('runs though what the move replaced cannot be deleted, which the log tells', async ({
    assert,
  }) => {
    const { agent, name } = await asleepBeforeTheMove()
    await leftThere(name)
    other.chaos.keepImport = { bad: 'engine_unreachable' }
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
    assert.isTrue(world.replaced.has(name))
    assert.include(
      house.logged.map(({ message }) => message),
      'Could not delete data that a move replaced'
    )
    other.chaos.keepImport = {}
    await house.lifecycle.restartAndWait(agent)
    assert.isFalse(world.replaced.has(name))
  })

  test('moves once more when it was interrupted before the data was gone', async ({ assert }) => {
    const { agent } = await asleepBeforeTheMove()
    house.driver.chaos.purge = { bad: 'engine_unreachable' }
    await assert.rejects(() => house.lifecycle.ensureRunning(agent))

    house.driver.chaos.purge = {}
    house.clock.advance(10 * 60_000)
    assert.match(await house.chat(agent, 'second'), /^Turn 2/)
  })
})

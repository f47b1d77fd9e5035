import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { DataCopies } from '#agents/fleet/data_copies'
import { AgentsHouse } from '#tests/doubles/agents_house'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'
import SystemContainer from '#models/system_container'

test.group('Copies of agents’ data', (group) => {
  let house: AgentsHouse
  let folder: string

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    house = new AgentsHouse()
    folder = join(mkdtempSync(join(tmpdir(), 'mosaic-copies-')), 'agents')
    return async () => {
      await house.close()
      rmSync(join(folder, '..'), { recursive: true })
    }
  })

  const copies = (by = house) => new DataCopies(by.context, by.services)
  const fileOf = (name: string) => join(folder, `${name}.tar.gz`)

  /** An agent that sleeps and remembers a turn. */
  async function remembering() {
    const made = await house.newAgent()
    await house.chat(made.agent)
    await house.lifecycle.stop(made.agent)
    return made
  }

  /** A machine without any data, over the same rows. */
  const loseAll = () => {
    house.world.data.clear()
    house.world.instances.clear()
  }

  test('bring back what agents remember, on a machine that has nothing', async ({ assert }) => {
    const [one, other] = [await remembering(), await remembering()]
    await house.chat(other.agent)
    assert.deepEqual(await copies().backUp(folder), { done: 2, without: 0, failed: [] })

    await house.lifecycle.stop(other.agent)
    loseAll()
    assert.deepEqual(await copies().restore(folder), { done: 2, without: 0, failed: [] })
    assert.match(await house.chat(one.agent), /^Turn 2/)
    assert.match(await house.chat(other.agent), /^Turn 3/)
  })

  test('are made of agents that sleep, and put those to sleep that are awake', async ({
    assert,
  }) => {
    const { agent, name, userId } = await house.newAgent()
    await house.chat(agent)
    const exportData = house.driver.exportData!.bind(house.driver)
    const alive: number[] = []
    house.driver.exportData = (...given) => {
      alive.push(house.memory.counts(name).alive)
      return exportData(...given)
    }
    await copies().backUp(folder)
    assert.deepEqual(alive, [0])
    assert.include((await house.row(userId)).$attributes, { status: 'stopped' })
  })

  test('are made while nobody can wake the agent', async ({ assert }) => {
    const { agent, name } = await remembering()
    let answered: Promise<string> | null = null
    let aliveAtTheEnd = -1
    const exportData = house.driver.exportData!.bind(house.driver)
    house.driver.exportData = async (...given) => {
      const data = (await exportData(...given))!
      answered = house.chat(agent)
      return Readable.from(
        (async function* () {
          yield* data
          await new Promise((resolve) => setTimeout(resolve, 50))
          aliveAtTheEnd = house.memory.counts(name).alive
        })()
      )
    }
    assert.include(await copies().backUp(folder), { done: 1 })
    assert.equal(aliveAtTheEnd, 0)
    assert.match(await answered!, /^Turn 2/)
  })

  test('leave an agent that works alone, and name it', async ({ assert }) => {
    const { agent, name } = await house.newAgent()
    await house.chat(agent)
    const leave = house.activity.begin(agent)
    const { done, failed } = await copies().backUp(folder)
    leave()
    assert.equal(done, 0)
    assert.equal(failed[0].name, name)
    assert.include(failed[0].message, 'did not go to sleep')
    assert.include(failed[0].hint, 'agent:stop')
    assert.equal(house.memory.counts(name).alive, 1)
    assert.deepEqual(await readdir(folder), [])
  })

  test('want agents that always run back, and no others', async ({ assert }) => {
    const usual = await house.newAgent()
    const always = await house.newAgent()
    const { id } = await SystemContainer.create({ name: 'mosaic-system-ops', role: 'operations' })
    for (const agent of [usual.agent, always.agent, `system/${id}`] as const)
      await house.chat(agent)
    const row = await house.row(always.userId)
    await row.merge({ wakePolicy: 'always_on' }).save()

    assert.include(await copies().backUp(folder), { done: 3 })
    const desired = [
      (await house.row(usual.userId)).desired,
      (await house.row(always.userId)).desired,
      (await SystemContainer.findOrFail(id)).desired,
    ]
    assert.deepEqual(desired, ['stopped', 'running', 'running'])
  })

  test('that are never made, as after a kill, leave agents wanted that always run', async ({
    assert,
  }) => {
    const { agent, userId } = await house.newAgent()
    await house.chat(agent)
    await (await house.row(userId)).merge({ wakePolicy: 'always_on' }).save()
    const hold = house.services.leases.hold.bind(house.services.leases)
    let holds = 0
    house.services.leases.hold = async (...work) => {
      if (++holds === 2) throw new Error('killed')
      return hold(...work)
    }
    assert.include(await copies().backUp(folder), { done: 0 })
    assert.include((await house.row(userId)).$attributes, { status: 'stopped', desired: 'running' })
  })

  test('can be read by their operator alone', async ({ assert }) => {
    const { name } = await remembering()
    await copies().backUp(folder)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    assert.equal(statSync(fileOf(name)).mode & 0o777, 0o600)
  })

  test('hold no more than may move, and what was copied before stays', async ({ assert }) => {
    const { name } = await remembering()
    await copies().backUp(folder)
    const former = readFileSync(fileOf(name))

    house.settings['runtime.moveMb'] = 1
    const text = 'x'.repeat(2 * 1024 * 1024)
    house.world.data.get(name)!.set('agent:main:large', [{ role: 'user', text, at: 0 }])
    const { done, failed } = await copies().backUp(folder)
    assert.equal(done, 0)
    assert.include(failed[0].message, 'larger than the 1 MB')
    assert.include(failed[0].hint, 'runtime.moveMb')
    assert.deepEqual(readFileSync(fileOf(name)), former)
    assert.deepEqual(await readdir(folder), [`${name}.tar.gz`])
  })

  test('expand to no more than may move', async ({ assert }) => {
    const { agent, name } = await remembering()
    const text = 'x'.repeat(2 * 1024 * 1024)
    house.world.data.get(name)!.set('agent:main:large', [{ role: 'user', text, at: 0 }])
    await copies().backUp(folder)
    house.settings['runtime.moveMb'] = 1
    const { failed } = await copies().restore(folder)
    assert.include(failed[0].message, 'larger than the 1 MB')
    assert.match(await house.chat(agent), /^Turn 2/)
  })

  test('of one agent that fail keep no other from being copied', async ({ assert }) => {
    await remembering()
    const exportData = house.driver.exportData!.bind(house.driver)
    const bad = await remembering()
    house.driver.exportData = async (ref, context) => {
      if (ref.name !== bad.name) return exportData(ref, context)
      return Readable.from(
        (async function* () {
          yield Buffer.alloc(10)
          throw new Error('The line broke')
        })()
      )
    }
    const { done, failed } = await copies().backUp(folder)
    assert.equal(done, 1)
    assert.deepEqual(failed, [{ name: bad.name, message: 'The line broke', hint: null }])
    assert.lengthOf(await readdir(folder), 1)
  })

  test('that were cut short replace nothing', async ({ assert }) => {
    const { agent, name } = await remembering()
    await copies().backUp(folder)
    const whole = readFileSync(fileOf(name))
    writeFileSync(fileOf(name), whole.subarray(0, whole.length - 20))
    const { done, failed } = await copies().restore(folder)
    assert.equal(done, 0)
    assert.include(failed[0].message, 'unexpected end of file')
    assert.match(await house.chat(agent), /^Turn 2/)
  })

  test('end an agent that runs, and it answers from its copy', async ({ assert }) => {
    const { agent, name } = await remembering()
    await copies().backUp(folder)
    await house.chat(agent)
    await house.chat(agent)
    const next = house.nextProcess()
    assert.include(await copies(next).restore(folder), { done: 1 })
    assert.equal(house.memory.counts(name).alive, 0)
    assert.match(await next.chat(agent), /^Turn 2/)
  })

  test('return to the runtime that the row names, whatever is chosen since', async ({ assert }) => {
    const world = new MemoryWorld()
    house.runtimes.other = new MemoryDriver({ world, now: house.clock.now, name: 'other' }, 'house')
    const { agent, name, userId } = await remembering()
    await copies().backUp(folder)
    loseAll()
    house.settings['runtime.driver'] = 'other'
    await copies().restore(folder)
    assert.isTrue(house.world.data.has(name))
    assert.match(await house.chat(agent), /^Turn 2/)
    assert.equal((await house.row(userId)).runtime, 'other')
    for (const { gateway } of world.instances.values()) await gateway?.stop()
  })

  test('let an agent start on another engine than the one it had', async ({ assert }) => {
    const lead = () => {
      const world = new MemoryWorld()
      const { now } = house.clock
      house.runtimes.other = new MemoryDriver({ world, now, name: 'other' }, 'house')
      return world
    }
    house.settings['runtime.driver'] = 'other'
    lead()
    const { agent, name } = await remembering()
    await copies().backUp(folder)

    const { instances } = lead()
    assert.deepEqual(await copies().restore(folder), { done: 1, without: 0, failed: [] })
    assert.match(await house.chat(agent), /^Turn 2/)
    await instances.get(name)?.gateway?.stop()
  })

  test('leave agents without one alone, and name those without an agent', async ({ assert }) => {
    const { name } = await remembering()
    await copies().backUp(folder)
    const other = await remembering()
    writeFileSync(fileOf('mosaic-user-gone'), readFileSync(fileOf(name)))
    const { done, without, failed } = await copies().restore(folder)
    assert.deepEqual([done, without], [1, 1])
    assert.deepEqual(
      failed.map((one) => one.name),
      ['mosaic-user-gone']
    )
    assert.match(await house.chat(other.agent), /^Turn 2/)
  })

  test('are tar archives of the state folder', async ({ assert }) => {
    const { name } = await remembering()
    await copies().backUp(folder)
    const exported = await house.driver.exportData!(
      { name, state: null },
      {
        signal: new AbortController().signal,
      }
    )
    const [first] = await Array.fromAsync(exported!)
    assert.deepEqual(gunzipSync(readFileSync(fileOf(name))), first)
  })

  test('are looked for in a folder that has some', async ({ assert }) => {
    await remembering()
    await assert.rejects(() => copies().restore(folder), /cannot be read/)
    await copies().backUp(folder)
    rmSync(folder, { recursive: true })
    writeFileSync(folder, '')
    await assert.rejects(() => copies().backUp(folder), /cannot be written/)
  })
})

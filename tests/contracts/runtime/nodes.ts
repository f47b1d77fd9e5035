import type { Assert } from '@japa/assert'
import type { RuntimeNode } from '#runtimes/contract'
import type { RuntimeStage } from '#tests/contracts/runtime/stage'
import type { SuiteTest } from '#tests/contracts/suite'

/** The optional part for runtimes of several machines. */
export function nodeTests(test: SuiteTest, stage: RuntimeStage): void {
  const { spec, start, chat, answers, never, refOf } = stage

  const list = () => stage.driver.nodes!.list()

  /** Returns the one node that runs an instance. */
  async function nodeOf(name: string, assert: Assert): Promise<RuntimeNode> {
    const found = (await list()).filter(({ instances }) =>
      instances.some((instance) => instance.name === name)
    )
    assert.lengthOf(found, 1)
    return found[0]
  }

  test('tells which node runs an instance, and the memory that it promises', async ({ assert }) => {
    const before = await list()
    const given = spec()
    await start(given)
    const node = await nodeOf(given.name, assert)
    assert.equal(node.state, 'ready')
    assert.isAbove(node.processors, 0)
    assert.deepInclude(node.instances, { name: given.name, agent: given.agent })
    assert.isAbove(node.memory.total, node.memory.promised)
    const former = before.find(({ id }) => id === node.id)!
    assert.isAbove(node.memory.promised, former.memory.promised)

    await stage.driver.stop(refOf(given), { graceMs: 1000 })
    const names = (await list()).flatMap(({ instances }) => instances.map(({ name }) => name))
    assert.notInclude(names, given.name)
  })

  test('starts nothing on a drained node, leaves alone what runs there, and takes all back', async ({
    assert,
    cleanup,
  }) => {
    const given = spec()
    const instance = await start(given)
    assert.equal(await chat(instance, given, 'one'), 'Turn 1: one')
    const { id } = await nodeOf(given.name, assert)
    const nodes = stage.driver.nodes!
    cleanup(() => nodes.reopen(id))
    await nodes.drain(id)
    await nodes.drain(id)

    assert.equal((await nodeOf(given.name, assert)).state, 'drained')
    assert.isTrue(await answers(instance.endpoint))
    assert.equal((await stage.driver.ensure(given, never())).id, instance.id)

    const other = spec()
    await start(other)
    assert.notEqual((await nodeOf(other.name, assert)).id, id)

    await stage.driver.stop(refOf(given), { graceMs: 1000 })
    const names = await nodes.pinned(id)
    assert.notInclude(names, other.name)
    if (names.includes(given.name)) {
      const failure = await stage.driver.ensure(given, never()).catch((error) => error)
      assert.equal(failure.reason, 'no_capacity')
      await nodes.reopen(id)
      await nodes.reopen(id)
    }
    assert.equal(await chat(await start(given), given, 'two'), 'Turn 2: two')
  })

  test('knows no node of another id', async ({ assert }) => {
    const codes = []
    for (const verb of ['drain', 'reopen'] as const) {
      const failure = await stage.driver.nodes![verb]('nobody').catch((error) => error)
      codes.push(failure.code)
    }
    assert.deepEqual(codes, ['E_RUNTIME_NODE_UNKNOWN', 'E_RUNTIME_NODE_UNKNOWN'])
  })
}

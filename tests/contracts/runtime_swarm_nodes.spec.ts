import { test } from '@japa/runner'
import { join } from 'node:path'
import type { Assert } from '@japa/assert'
import type { SwarmSettings } from '#runtimes/drivers/swarm/options'
import { VolumePlugin } from '#tests/doubles/volume_plugin'
import type { SwarmDriver } from '#runtimes/drivers/swarm/driver'
import { until } from '#tests/contracts/until'
import { HERE, SwarmTrial } from '#tests/contracts/swarm_trial'
import { testSwarm, type Swarm } from '#tests/engine/swarm'

/** Guards tell their node's memory with their first round of rules. */
const TOLD_MS = 60_000

interface Plugin {
  Name: string
}

const swarm = testSwarm()

if (swarm) nodesOf(swarm)

function nodesOf({ manager, worker, shared }: Swarm): void {
  test.group('Runtime | swarm, its nodes', (group) => {
    let trial: SwarmTrial
    let driver: SwarmDriver

    group.each.setup(() => () => trial.close())

    async function prepare(settings: Partial<SwarmSettings> = {}): Promise<void> {
      trial = await SwarmTrial.prepare(swarm!, settings)
      driver = await trial.open(HERE)
    }

    /** Has both engines know a plugin: one does when it is first used, and tells its swarm a while later. */
    async function pluggedIn(): Promise<VolumePlugin> {
      const plugin = new VolumePlugin('mosaic-test', join(shared, 'volumes'))
      await plugin.start()
      for (const { docker } of swarm!.nodes) {
        await docker.createVolume({ Name: 'first', Driver: plugin.name })
        await docker.getVolume('first').remove()
      }
      const isKnown = ({ Description }: { Description?: { Engine?: { Plugins?: Plugin[] } } }) =>
        Description?.Engine?.Plugins?.some(({ Name }) => Name === plugin.name)
      await until(async () => (await manager.docker.listNodes()).every(isKnown), TOLD_MS)
      return plugin
    }

    async function idOf(name: string): Promise<string> {
      return (await driver.nodes.list()).find((node) => node.name === name)!.id
    }

    async function label(name: string, labels: Record<string, string>): Promise<void> {
      const node = manager.docker.getNode(await idOf(name))
      const { Spec, Version } = await node.inspect()
      await node.update({ _query: { version: Version.Index }, _body: { ...Spec, Labels: labels } })
    }

    test('an agent runs where its labels are, or nowhere', async ({ assert, cleanup }) => {
      await prepare({ sharedPath: shared })
      const found = await manager.docker.getNode(await idOf(worker.name)).inspect()
      cleanup(() => label(worker.name, found.Spec.Labels ?? {}))
      await label(worker.name, { ...found.Spec.Labels, disk: 'ssd' })
      for (let one = 0; one < 2; one++) {
        const instance = await trial.start(trial.spec({}, { placement: { disk: 'ssd' } }))
        assert.equal(new URL(instance.endpoint).hostname, worker.address)
      }
      const nowhere = trial.spec({}, { placement: { disk: 'tape' } })
      const failure = await driver.ensure(nowhere, trial.patient()).catch((error) => error)
      assert.equal(failure.reason, 'no_capacity')
    }).timeout(180_000)

    /** Has an agent answer, drains its node, and has it answer again. */
    async function leave(
      assert: Assert,
      cleanup: (work: () => Promise<void>) => void
    ): Promise<void> {
      const spec = trial.spec()
      const before = await trial.start(spec)
      assert.equal(await trial.chat(before, spec), 'Turn 1: hi')
      const address = new URL(before.endpoint).hostname
      const [from, to] = address === worker.address ? [worker, manager] : [manager, worker]
      const id = await idOf(from.name)
      cleanup(() => driver.nodes.reopen(id))
      await driver.nodes.drain(id)
      assert.deepEqual(await driver.nodes.pinned(id), [])
      await driver.stop({ name: spec.name, state: null })
      const after = await trial.start(spec)
      assert.equal(new URL(after.endpoint).hostname, to.address)
      assert.equal(await trial.chat(after, spec), 'Turn 2: hi')
    }

    test('an agent with shared data leaves a drained node, and answers from another', async ({
      assert,
      cleanup,
    }) => {
      await prepare({ sharedPath: shared })
      await leave(assert, cleanup)
    }).timeout(180_000)

    test('so does an agent with a volume of a plugin that all nodes have', async ({
      assert,
      cleanup,
    }) => {
      const plugin = await pluggedIn()
      await prepare({ volumeDriver: plugin.name, volumeOptions: ['pool=agents'] })
      await leave(assert, cleanup)
      assert.deepEqual([...plugin.volumes.values()], [{ pool: 'agents' }])
    }).timeout(240_000)

    test('each node tells how much of its memory is in use', async ({ assert }) => {
      await prepare()
      await trial.start(trial.spec())
      const told = async () =>
        (await driver.nodes.list()).every(({ memory }) => memory.used !== null)
      await until(told, TOLD_MS)
      for (const { memory } of await driver.nodes.list()) {
        assert.isAbove(memory.used!, 0)
        assert.isBelow(memory.used!, memory.total)
      }
    }).timeout(120_000)
  })
}

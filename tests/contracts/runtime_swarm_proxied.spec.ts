import { randomUUID } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import type { SwarmDriver } from '#runtimes/drivers/swarm/driver'
import { SocketProxy, type Report } from '#socket_proxy/socket_proxy'
import { HERE, SwarmTrial } from '#tests/contracts/swarm_trial'
import { testSwarm, type Swarm } from '#tests/engine/swarm'

const swarm = testSwarm()

if (swarm) proxied(swarm)

/** As in `docker/stack.yaml`: Mosaic reaches the manager through the socket proxy alone. */
function proxied({ manager, shared }: Swarm): void {
  test.group('Runtime | swarm, through the socket proxy', (group) => {
    let trial: SwarmTrial
    let driver: SwarmDriver
    let proxy: SocketProxy
    let refused: Parameters<Report>[0][]

    group.each.timeout(300_000)
    group.each.setup(() => async () => {
      await trial.close()
      await proxy.stop()
    })

    async function prepare(sharedPath: string | null): Promise<void> {
      trial = await SwarmTrial.prepare(swarm!, { sharedPath })
      refused = []
      proxy = new SocketProxy(
        {
          host: '127.0.0.1',
          port: 0,
          engine: manager.host.replace(/^unix:\/\//, ''),
          images: ['mosaic-test/gateway'],
          installation: HERE,
          memory: null,
          range: '10.213.0.0/16',
          secretsFolder: null,
          swarm: { sharedFolder: shared, volumes: null, scripts: trial.config.scripts },
          ceilings: { memoryMb: 8192, cpus: 8, processes: 4096 },
        },
        (line) => void refused.push(line)
      )
      const host = await proxy.start()
      const settings = async () => ({ ...(await trial.config.settings()), host })
      driver = await trial.open(HERE, { settings })
    }

    for (const [where, sharedPath] of [
      ['volumes of nodes', null],
      ['a shared folder', shared],
    ] as const) {
      test(`agents with data in ${where} live through everything`, async ({ assert, cleanup }) => {
        await prepare(sharedPath)
        const spec = trial.spec()
        const ref = { name: spec.name, state: null }
        const first = await trial.start(spec, driver)
        assert.equal(await trial.chat(first, spec), 'Turn 1: hi')

        const id = randomUUID()
        const next = { ...spec, hash: id, generation: 2, token: new Secret(`token-${id}`) }
        await driver.stop(ref)
        assert.equal(await trial.chat(await trial.start(next, driver), next), 'Turn 2: hi')

        const nodes = await driver.nodes.list()
        const home = nodes.find(({ instances }) => instances.some(({ name }) => name === spec.name))
        await driver.nodes.drain(home!.id)
        cleanup(() => driver.nodes.reopen(home!.id))
        const pinned = await driver.nodes.pinned(home!.id)
        assert.deepEqual(pinned, sharedPath === null ? [spec.name] : [])
        await driver.nodes.reopen(home!.id)

        await driver.stop(ref)
        const data = await buffer((await driver.exportData(ref, trial.patient()))!)
        await driver.importData(next, Readable.from([data]), trial.patient())
        assert.isTrue(await driver.undoImport(ref))
        assert.equal(await trial.chat(await trial.start(next, driver), next), 'Turn 3: hi')

        assert.isArray(await Array.fromAsync(driver.logs(ref, { tail: 5 })))
        assert.deepEqual(
          (await Array.fromAsync(driver.list())).map(({ name }) => name),
          [spec.name]
        )
        assert.deepEqual(await driver.preflight(), [])
        await driver.purge(ref)
        assert.isNull(await driver.inspect(ref))
        assert.isNull(await driver.exportData(ref, trial.patient()))
        assert.deepEqual(refused, [])
      })
    }
  })
}

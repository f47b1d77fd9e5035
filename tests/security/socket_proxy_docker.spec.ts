import { buffer } from 'node:stream/consumers'
import { test } from '@japa/runner'
import { BRIDGE_ADDRESS } from '../engine/docker_daemon.mjs'
import { testEngine } from '#tests/engine/engine'
import { HERE, removeNetworks } from '#tests/contracts/docker_trial'
import { ProxiedTrial } from '#tests/contracts/proxied_trial'
import type { DockerDriver } from '#runtimes/drivers/docker/driver'
import { SocketProxy } from '#socket_proxy/socket_proxy'
import type { RuntimeEvent } from '#runtimes/contract'

const engine = testEngine()

if (engine?.host.startsWith('unix://')) {
  test.group('Socket proxy · a real engine behind it', (group) => {
    let proxied: ProxiedTrial
    let driver: DockerDriver

    group.each.setup(async () => {
      proxied = await ProxiedTrial.prepare(engine)
      driver = await proxied.open(HERE)
      return () => proxied.close()
    })
    group.teardown(() => removeNetworks(engine, [HERE]))

    const patient = () => ({ signal: new AbortController().signal })

    test('an agent lives a whole life, and nothing of it is refused', async ({ assert }) => {
      const { trial } = proxied
      const given = trial.spec()
      const ref = { name: given.name, state: null }
      const instance = await trial.start(given, driver)
      const lines = await Array.fromAsync(driver.logs(ref, { tail: 10 }))
      assert.notInclude(lines.join('\n'), given.token.release())

      await driver.suspend(ref)
      assert.equal((await driver.inspect(ref))?.status, 'suspended')
      await driver.resume(ref)
      assert.equal((await driver.inspect(ref))?.id, instance.id)
      const listed = await Array.fromAsync(driver.list())
      assert.deepEqual(
        listed.map(({ name }) => name),
        [given.name]
      )
      await driver.stop(ref, { graceMs: 2000 })
      const data = await buffer((await driver.exportData(ref, patient()))!)
      assert.include(data.toString('latin1'), 'openclaw.json')
      await driver.purge(ref)
      assert.deepEqual(await trial.containers(), [])
      assert.deepEqual(await trial.volumes(), [])
      assert.deepEqual(proxied.refused, [])
    }).timeout(120_000)

    test('events arrive as they happen', async ({ assert }) => {
      const { trial } = proxied
      const listening = new AbortController()
      const events = driver.events(listening.signal)[Symbol.asyncIterator]()
      const instance = await trial.start(trial.spec(), driver)
      await trial.kill(instance)
      const seen: RuntimeEvent['type'][] = []
      while (!seen.includes('exited')) seen.push((await events.next()).value!.type)
      listening.abort()
      assert.deepEqual(seen, ['started', 'exited'])
    }).timeout(120_000)

    test('a container is told of itself alone, by the address that it asks from', async ({
      assert,
      cleanup,
    }) => {
      const proxy = new SocketProxy({
        host: BRIDGE_ADDRESS,
        port: 0,
        engine: engine.host.replace(/^unix:\/\//, ''),
        images: ['mosaic-test/gateway'],
        installation: HERE,
        memory: null,
        range: '10.213.0.0/16',
        secretsFolder: null,
        swarm: null,
        ceilings: { memoryMb: 8192, cpus: 8, processes: 4096 },
      })
      const url = (await proxy.start()).replace('tcp:', 'http:')
      const make = (program: string) =>
        engine.docker.createContainer({
          Image: engine.gatewayImage,
          Entrypoint: ['node', '--input-type=module', '-e', program],
          Labels: { 'mosaic.server': 'true' },
        })
      const other = await make('setInterval(() => {}, 1000)')
      await other.start()
      const asking = await make(asksFor(url, other.id))
      cleanup(async () => {
        for (const one of [other, asking]) await one.remove({ force: true })
        await proxy.stop()
      })
      await asking.start()
      await asking.wait()
      const lines = (await asking.logs({ stdout: true, stderr: true })).toString()
      assert.match(lines, /itself: (bridge|default)/)
      assert.match(lines, /another: nothing/)
    }).timeout(60_000)

    test("somebody else's container of the same name is told, and left as it is", async ({
      assert,
    }) => {
      const { trial } = proxied
      const given = trial.spec()
      const isAsItWas = await trial.plant(given.name)
      const failure = await trial.failureOf(driver, given)
      assert.equal(failure.code, 'E_RUNTIME_NAME_TAKEN')
      assert.isTrue(await isAsItWas())
    }).timeout(120_000)
  })
}

/** A program that inspects its own container, whose id is its host name, and another one. */
function asksFor(url: string, other: string): string {
  return `
    import { hostname } from 'node:os'
    const modeOf = async (id) => {
      const answer = await fetch('${url}/containers/' + id + '/json')
      return (await answer.json()).HostConfig?.NetworkMode ?? 'nothing'
    }
    console.log('itself: ' + await modeOf(hostname()))
    console.log('another: ' + await modeOf('${other}'))`
}

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import { testEngine, type Engine } from '#tests/engine/engine'
import { LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'
import { TestClock } from '#tests/doubles/test_clock'
import { Outside } from '#tests/contracts/outside'
import { DockerTrial, removeNetworks } from '#tests/contracts/docker_trial'

const run = promisify(execFile)

/** A probe of a closed port: changes the set of probes, so that earlier proof does not count. */
const ANOTHER_PROOF = [{ name: 'nothing', host: '127.0.0.1', port: 1 }]

const given = testEngine()
if (given) isolationOn(given)

function isolationOn(engine: Engine): void {
  const { docker } = engine

  test.group('Runtime | docker | isolation', (group) => {
    let trial: DockerTrial
    let installation: string

    /** A new installation each time, because proof of a network's isolation lasts as long as this process. */
    group.each.setup(async () => {
      trial = await DockerTrial.prepare(engine)
      installation = `installation-${randomUUID()}`
      return async () => {
        await trial.close()
        await removeNetworks(engine, [installation])
      }
    })

    const spec = () => trial.spec({}, { installation, apiUrl: trial.apiUrlOf(installation) })

    test('finds nothing wrong where all is well, and leaves no probe', async ({ assert }) => {
      const driver = await trial.open(installation)
      assert.deepEqual(await driver.preflight(), [])
      assert.deepEqual(await trial.containers(installation), [])
      await trial.start(spec(), driver)
    })

    test('starts no agent that would reach the machine, and says how to close the way', async ({
      assert,
    }) => {
      const driver = await trial.open(installation, { firewall: false })
      const [finding] = await driver.preflight()
      assert.equal(finding.code, 'network_guard_missing')
      assert.equal(finding.severity, 'error')
      const error = await trial.failureOf(driver, spec())
      assert.equal(error.reason, 'internal')
      assert.equal(error.help, finding.hint)
      assert.deepEqual(await trial.containers(installation), [])

      const [, commands] = /at each boot: (.*)$/.exec(finding.hint)!
      const outside = await Outside.open()
      await run('sh', ['-c', commands])
      try {
        const clock = new TestClock()
        const later = await trial.open(installation, { firewall: false, clock })
        assert.deepEqual(await later.preflight(), [])
        const agent = await trial.start(spec(), later)
        const reached = (host: string) => trial.within.connect(agent, host, outside.port)
        assert.equal(await reached(outside.privateAddress), 'timeout')
        assert.equal(await reached(outside.publicAddress), 'connected')

        await run('sh', ['-c', commands.replaceAll(' -I ', ' -D ')])
        clock.advance(3_600_000)
        const codes = (await later.preflight()).map(({ code }) => code)
        assert.include(codes, 'network_guard_missing')
        assert.equal((await trial.failureOf(later, spec())).help, finding.hint)
      } finally {
        await run('sh', ['-c', commands.replaceAll(' -I ', ' -D ')]).catch(() => {})
        await outside.close()
      }
    })

    test('starts no agent that would reach others', async ({ assert }) => {
      await docker.createNetwork({
        Name: `mosaic-${shortHash(installation)}-open`,
        Labels: { [LABEL.installation]: installation },
        Options: { 'com.docker.network.bridge.name': `mos-${shortHash(installation)}o` },
      })
      // With Mosaic's own rules, even this bridge is closed to peers.
      assert.deepEqual(await (await trial.open(installation)).preflight(), [])

      const driver = await trial.open(installation, { firewall: false, forbidden: ANOTHER_PROOF })
      await sweep()
      const [finding] = await driver.preflight()
      assert.equal(finding.code, 'agents_reach_agents')
      const error = await trial.failureOf(driver, spec())
      assert.equal(error.message, finding.message)
    })

    test('starts no agent that would reach what is forbidden', async ({ assert }) => {
      const driver = await trial.open(installation, {
        firewall: false,
        forbidden: [
          { name: 'the database', host: await machine(), port: trial.config.internalPort },
        ],
      })
      const codes = (await driver.preflight()).map(({ code }) => code)
      assert.include(codes, 'agents_reach_forbidden')
    })

    test('lets a running agent go on where its next version could not start', async ({
      assert,
    }) => {
      const former = await trial.open(installation)
      const agent = spec()
      const { id } = await trial.start(agent, former)
      await sweep()
      const driver = await trial.open(installation, { firewall: false, forbidden: ANOTHER_PROOF })
      const error = await trial.failureOf(driver, { ...agent, hash: 'another' })
      assert.equal(error.reason, 'internal')
      assert.isTrue((await docker.getContainer(id).inspect()).State.Running)
    })

    test('touches no network of somebody else', async ({ assert }) => {
      const Name = `mosaic-${shortHash(installation)}-open`
      const foreign = await docker.createNetwork({ Name })
      const driver = await trial.open(`other ${installation}`)
      await driver.close()
      await assert.rejects(() => trial.open(installation), /exists already/)
      await foreign.inspect()
      await foreign.remove()
      await removeNetworks(engine, [`other ${installation}`])
    })

    test('warns of an image that is still to be fetched, and refuses one that nobody fetches', async ({
      assert,
    }) => {
      const preflight = async (pullPolicy: 'missing' | 'never') => {
        const settings = async () => ({ host: engine.host, pullPolicy })
        const driver = await trial.open(installation, { settings, image: 'mosaic-test/none:1' })
        return (await driver.preflight()).map(({ severity, code }) => `${severity} ${code}`)
      }
      assert.deepEqual(await preflight('missing'), ['warning image_missing'])
      assert.deepEqual(await preflight('never'), ['error image_missing'])
    })

    test('looks for the image that the settings name, and not for the default one', async ({
      assert,
    }) => {
      const image = 'mosaic-test/chosen:1'
      const settings = async () => ({ host: engine.host, pullPolicy: 'never' as const, image })
      const driver = await trial.open(installation, { settings })
      const [finding] = await driver.preflight()
      assert.equal(finding.code, 'image_missing')
      assert.include(finding.message, image)
    })

    test('lets agents reach the public internet and no private network, or nothing at all', async ({
      assert,
    }) => {
      const outside = await Outside.open()
      try {
        const open = await trial.open(installation)
        const free = await trial.start(spec(), open)
        const reached = (from: typeof free, host: string) =>
          trial.within.connect(from, host, outside.port)
        assert.equal(await reached(free, outside.publicAddress), 'connected')
        assert.equal(await reached(free, outside.privateAddress), 'timeout')

        const settings = async () => ({ host: engine.host, egress: 'sealed' as const })
        const sealed = await trial.open(installation, { settings })
        const { host } = await sealed.callback()
        const apiUrl = `http://${host}:${trial.config.internalPort}`
        const shut = await trial.start({ ...spec(), apiUrl }, sealed)
        assert.notEqual(await reached(shut, outside.publicAddress), 'connected')
        assert.notEqual(await reached(shut, outside.privateAddress), 'connected')
        // An engine asks its own name servers for agents that name none.
        const { HostConfig } = await docker.getContainer(shut.id).inspect()
        assert.deepEqual(HostConfig.Dns, ['192.0.2.1'])
      } finally {
        await outside.close()
      }
    })

    test('makes a network anew that somebody removed, where it was, and proves it again', async ({
      assert,
    }) => {
      const driver = await trial.open(installation)
      await driver.remove(await trial.start(spec(), driver))
      const before = await driver.callback()
      await removeNetworks(engine, [installation])
      await trial.start(spec(), driver)
      assert.deepEqual(await driver.callback(), before)
      assert.deepEqual(await driver.preflight(), [])
    })

    test('puts rules back that somebody swept away', async ({ assert }) => {
      const driver = await trial.open(installation)
      await driver.callback()
      const chain = `MOSAIC-${shortHash(`mos-${shortHash(installation)}o`)}`
      const rules = async () => (await run('iptables', ['-S'])).stdout
      assert.include(await rules(), `-j ${chain}`)
      await run('iptables', ['-F', 'INPUT'])
      assert.notInclude(await rules(), `INPUT -i mos-${shortHash(installation)}o -j ${chain}`)
      await (await trial.open(installation)).callback()
      assert.include(await rules(), `INPUT -i mos-${shortHash(installation)}o -j ${chain}`)
    })

    /** Removes Mosaic's firewall rules. */
    async function sweep(): Promise<void> {
      const bridge = `mos-${shortHash(installation)}o`
      const chain = `MOSAIC-${shortHash(bridge)}`
      await run('iptables', ['-D', 'INPUT', '-i', bridge, '-j', chain])
      await run('iptables', ['-t', 'mangle', '-D', 'FORWARD', '-i', bridge, '-j', `${chain}-F`])
    }

    /** Returns an address of this machine that is on no bridge of Mosaic. */
    async function machine(): Promise<string> {
      const { IPAM } = await docker.getNetwork('bridge').inspect()
      return IPAM!.Config![0].Gateway!
    }
  })
}

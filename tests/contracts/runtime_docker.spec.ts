import { statSync } from 'node:fs'
import { test } from '@japa/runner'
import { testEngine, type Engine } from '#tests/engine/engine'
import { AGENT_HOST } from '#runtimes/launch'
import { LABEL } from '#runtimes/engine/labels'
import { DockerDriver } from '#runtimes/drivers/docker/driver'
import { E_RUNTIME_NAME_TAKEN } from '#runtimes/errors'
import { runtimeSuite } from '#tests/contracts/runtime'
import { DockerTrial, HERE, removeNetworks } from '#tests/contracts/docker_trial'
import { until } from '#tests/contracts/until'

const provided = testEngine()

if (provided) {
  const { capabilities } = new DockerDriver({ entrypoint: '', image: '', internalPort: 0 }, '')
  runtimeSuite(test, {
    name: 'docker',
    capabilities,
    prepare: () => DockerTrial.prepare(provided),
  })
  containersOn(provided)
}

function containersOn(engine: Engine): void {
  const { docker } = engine

  test.group('Runtime | docker', (group) => {
    let trial: DockerTrial
    let driver: DockerDriver

    group.each.setup(async () => {
      trial = await DockerTrial.prepare(engine)
      driver = await trial.open(HERE)
      return () => trial.close()
    })
    group.teardown(() => removeNetworks(engine, [HERE, 'installation-elsewhere']))

    test('names and labels a container by what it is for', async ({ assert }) => {
      const given = trial.spec({}, { generation: 3 })
      const { id } = await trial.start(given)
      const { Name, Config } = await docker.getContainer(id).inspect()
      assert.equal(Name, `/${given.name}`)
      assert.equal(Config.Hostname, AGENT_HOST)
      assert.containsSubset(Config.Labels, {
        [LABEL.installation]: HERE,
        [LABEL.agent]: given.agent,
        [LABEL.name]: given.name,
        [LABEL.generation]: '3',
        [LABEL.spec]: given.hash,
      })
    })

    test('takes everything from a container that an agent does not need', async ({ assert }) => {
      const given = trial.spec({}, { limits: { memoryMb: 200, cpus: 0.75, processes: 50 } })
      const { id } = await trial.start(given)
      const { HostConfig, Config, NetworkSettings, Mounts, Image } = await docker
        .getContainer(id)
        .inspect()
      assert.containsSubset(HostConfig, {
        Privileged: false,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        PublishAllPorts: false,
        IpcMode: 'private',
        PidMode: '',
        Init: true,
        Memory: 200 * 1024 * 1024,
        MemorySwap: 200 * 1024 * 1024,
        NanoCpus: 0.75e9,
        PidsLimit: 50,
        RestartPolicy: { Name: 'no' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
      })
      for (const empty of [HostConfig.CapAdd, HostConfig.Devices, HostConfig.Binds]) {
        assert.isEmpty(empty ?? [])
      }
      assert.isEmpty(Object.values(NetworkSettings.Ports).filter(Boolean))
      assert.equal(Config.User, '1000:1000')
      assert.sameMembers(
        Mounts.map(({ Destination, RW }) => `${Destination} ${RW ? 'rw' : 'ro'}`),
        ['/home/node/.openclaw rw', '/run/mosaic ro']
      )
      assert.match(Config.Image, /^sha256:/)
      assert.equal(Config.Image, Image)
    })

    test('keeps the token of a local engine in memory, and takes it away', async ({ assert }) => {
      const given = trial.spec()
      const instance = await trial.start(given)
      const { Mounts } = await docker.getContainer(instance.id).inspect()
      const { Type, Source } = Mounts.find(({ Destination }) => Destination === '/run/mosaic')!
      assert.equal(Type, 'bind')
      assert.match(Source, /^\/(run|dev\/shm)\/mosaic\//)
      const { mode, uid } = statSync(`${Source}/secrets.json`)
      assert.equal(mode & 0o777, 0o400)
      assert.equal(uid, 1000)

      await driver.remove(instance)
      assert.throws(() => statSync(Source), /ENOENT/)
    })

    test('hands the token over in a volume where the engine is elsewhere', async ({ assert }) => {
      const remote = await trial.open(HERE, { secretsFolder: null })
      const given = trial.spec()
      const instance = await trial.start(given, remote)
      const { Mounts, Config } = await docker.getContainer(instance.id).inspect()
      assert.isTrue(Mounts.every(({ Type }) => Type === 'volume'))
      assert.notInclude(JSON.stringify(Config), given.token.release())
      const { output } = await trial.within.run(instance, 'ls -ln /run/mosaic')
      assert.match(output, /^-r--------\s+1 1000\s+1000\s.*secrets\.json$/m)
      const touch = await trial.within.run(instance, 'touch /run/mosaic/written')
      assert.notEqual(touch.code, 0)

      await trial.within.run(instance, `echo ${given.token.release()} > /proc/1/fd/2`)
      const lines = await Array.fromAsync(remote.logs(instance, { tail: 100 }))
      assert.isNotEmpty(lines)
      assert.notInclude(lines.join('\n'), given.token.release())
      assert.lengthOf(await trial.volumes(), 2)
      await remote.remove(instance)
      assert.deepEqual(await trial.volumes(), [`${given.name}-state`])
    })

    test('holds a log back that it cannot clean', async ({ assert }) => {
      const given = trial.spec()
      const instance = await trial.start(given)
      const elsewhere = await trial.open(HERE, { secretsFolder: '/dev/shm/mosaic-elsewhere' })
      await driver.stop(instance, { graceMs: 5000 })
      const lines = await Array.fromAsync(elsewhere.logs(instance, { tail: 100 }))
      assert.lengthOf(lines, 1)
      assert.match(lines[0], /held back/)
    })

    test('kills after the grace what does not end, which is no failure', async ({ assert }) => {
      const instance = await trial.start(trial.spec({ stubborn: true }))
      const began = performance.now()
      await driver.stop(instance, { graceMs: 1000 })
      assert.isAtLeast(performance.now() - began, 900)
      const observed = await (await trial.open(HERE)).inspect(instance)
      assert.containsSubset(observed, { status: 'exited', exitCode: 137, failure: null })
    })

    test('tells why the launcher gave up', async ({ assert }) => {
      trial.documents.refusal = { status: 409, code: 'E_NO_PROVIDER' }
      const given = trial.spec()
      await driver.ensure(given, trial.patient()).catch(() => {})
      const observed = await until(async () => {
        const seen = await driver.inspect({ name: given.name, state: null })
        return seen?.status === 'exited' ? seen : null
      })
      assert.equal(observed.exitCode, 65)
      assert.equal(observed.failure?.reason, 'no_provider')
    })

    test('starts what a Mosaic made that was killed before it could start it', async ({
      assert,
    }) => {
      const given = trial.spec()
      const { id } = await trial.start(given)
      const found = await docker.getContainer(id).inspect()
      await docker.getContainer(id).remove({ force: true })
      const made = await docker.createContainer({
        ...found.Config,
        name: given.name,
        HostConfig: found.HostConfig,
      })
      const instance = await trial.start(given)
      assert.equal(instance.id, made.id)
    })

    test('leaves nothing behind when the caller leaves, at whatever step', async ({ assert }) => {
      for (const step of ['Making the container', 'Starting the agent']) {
        const caller = new AbortController()
        const onProgress = (detail: string) => {
          if (detail === step) caller.abort(new Error('left'))
        }
        await assert.rejects(
          () => driver.ensure(trial.spec(), { signal: caller.signal, onProgress }),
          'left'
        )
        assert.deepEqual(await trial.containers(), [])
        assert.deepEqual(await trial.volumes(), [])
      }
    })

    test('takes no data of others for an agent’s own', async ({ assert }) => {
      const given = trial.spec()
      await docker.createVolume({ Name: `${given.name}-state` })
      const refused = await driver.ensure(given, trial.patient()).catch((error) => error)
      assert.instanceOf(refused, E_RUNTIME_NAME_TAKEN)
      assert.include(refused.help, 'docs/backup.md')
      await driver.purge({ name: given.name, state: null })
      await docker.getVolume(`${given.name}-state`).remove()
    })

    test('moves an agent where egress was sealed meanwhile', async ({ assert }) => {
      const given = trial.spec()
      const before = await trial.start(given)
      const settings = async () => ({ host: engine.host, egress: 'sealed' as const })
      const sealed = await trial.open(HERE, { settings })
      const { host } = await sealed.callback()
      const apiUrl = `http://${host}:${trial.config.internalPort}`
      const moved = await trial.start({ ...given, apiUrl }, sealed)
      assert.notEqual(moved.id, before.id)
      const { NetworkSettings } = await docker.getContainer(moved.id).inspect()
      assert.match(Object.keys(NetworkSettings.Networks).join(), /^mosaic-[0-9a-f]{8}-sealed$/)
    })

    test('gives the engine’s own opinion of an agent’s health', async ({ assert }) => {
      const observed = await driver.inspect(await trial.start(trial.spec()))
      assert.equal(observed?.health, 'starting')
    })

    test('gives an agent no more processors than the engine has, and says so ahead', async ({
      assert,
    }) => {
      const { NCPU } = await docker.info()
      const given = trial.spec()
      const greedy = { ...given, limits: { ...given.limits, cpus: NCPU + 1 } }
      const { id } = await trial.start(greedy)
      const { HostConfig } = await docker.getContainer(id).inspect()
      assert.equal(HostConfig.NanoCpus, NCPU * 1e9)

      const config = { ...trial.config, processors: async () => NCPU + 1 }
      const [finding] = await new DockerDriver(config, HERE).preflight()
      assert.containsSubset(finding, { code: 'docker_few_processors', severity: 'warning' })
      const fitting = { ...trial.config, processors: async () => NCPU }
      assert.deepEqual(await new DockerDriver(fitting, HERE).preflight(), [])
    })

    test('warns of a disk of the engine that is nearly full', async ({ assert }) => {
      for (const [free, severity] of [
        [1024, 'error'],
        [500 * 1024 * 1024, 'warning'],
      ] as const) {
        const small = await trial.open(HERE, { freeBytes: async () => free })
        assert.containsSubset(await small.preflight(), [{ severity, code: 'disk_nearly_full' }])
      }
    })

    test('works with an engine that the settings name only later', async ({ assert }) => {
      let host = 'unix:///nowhere/docker.sock'
      const late = await DockerTrial.prepare(engine, { settings: async () => ({ host }) })
      const patient = new DockerDriver(late.config, HERE)
      const [finding] = await patient.preflight()
      assert.equal(finding.code, 'docker_unreachable')
      host = engine.host
      assert.deepEqual(await patient.preflight(), [])
      await patient.close()
      await late.close()
    })
  })
}

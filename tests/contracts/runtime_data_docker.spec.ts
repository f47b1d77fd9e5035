import { buffer } from 'node:stream/consumers'
import { test } from '@japa/runner'
import { testEngine } from '#tests/engine/engine'
import { runtimeDataSuite } from '#tests/contracts/runtime_data'
import { LABEL } from '#runtimes/engine/labels'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import { HERE as PROCESS_HERE, ProcessTrial } from '#tests/contracts/process_trial'
import { DockerTrial, HERE, removeNetworks } from '#tests/contracts/docker_trial'
import type { RuntimeDriver } from '#runtimes/contract'

const engine = testEngine()

const patient = () => ({ signal: new AbortController().signal })

if (engine) {
  runtimeDataSuite(test, { name: 'docker', prepare: () => DockerTrial.prepare(engine) })

  test.group('Runtime | between processes and containers', (group) => {
    let processes: ProcessTrial
    let containers: DockerTrial

    group.each.setup(async () => {
      processes = await ProcessTrial.prepare()
      containers = await DockerTrial.prepare(engine)
      return async () => {
        await processes.close()
        await containers.close()
      }
    })
    group.teardown(() => removeNetworks(engine, ['installation-here', 'installation-elsewhere']))

    test('an agent moves both ways with what it remembers', async ({ assert }) => {
      const process = await processes.open(PROCESS_HERE)
      const docker = await containers.open(HERE)
      const atHome = processes.spec()
      const away = { ...containers.spec(), name: atHome.name, agent: atHome.agent }
      containers.documents.serve(away.agent, { fake: {} })
      const ref = { name: atHome.name, state: null }

      assert.equal(
        await turn(process, await processes.start(atHome), atHome.token.release()),
        'Turn 1: hi'
      )
      await process.stop(ref, { graceMs: 2000 })
      await docker.importData(away, (await process.exportData(ref, patient()))!, patient())
      assert.equal(
        await turn(docker, await containers.start(away), away.token.release()),
        'Turn 2: hi'
      )

      await docker.stop(ref, { graceMs: 2000 })
      await process.importData(atHome, (await docker.exportData(ref, patient()))!, patient())
      assert.equal(
        await turn(process, await processes.start(atHome), atHome.token.release()),
        'Turn 3: hi'
      )
    })

    /** An agent of one turn whose data an import replaced. */
    async function replaced(docker: RuntimeDriver) {
      const given = containers.spec()
      const first = await containers.start(given)
      await turn(docker, first, given.token.release())
      await docker.stop(first, { graceMs: 2000 })
      const ref = { name: given.name, state: null }
      await docker.importData!(given, (await docker.exportData!(ref, patient()))!, patient())
      return given
    }

    const makeVolume = (Name: string, name: string) =>
      engine.docker.createVolume({
        Name,
        Labels: { [LABEL.installation]: HERE, [LABEL.name]: name },
      })

    test('starts with no half of the data that a killed Mosaic was putting back', async ({
      assert,
    }) => {
      const docker = await containers.open(HERE)
      const given = await replaced(docker)
      await docker.undoImport({ name: given.name, state: null })
      for (const volume of ['unfinished', 'state']) {
        await makeVolume(`${given.name}-${volume}`, given.name)
      }
      assert.isNull(await docker.exportData({ name: given.name, state: null }, patient()))
      const instance = await containers.start(given)
      assert.equal(await turn(docker, instance, given.token.release()), 'Turn 2: hi')
      assert.notInclude((await containers.volumes()).join(), 'unfinished')
    })

    test('purges an agent whose data a killed Mosaic was carrying', async ({ assert }) => {
      const docker = await containers.open(HERE)
      const given = containers.spec()
      await docker.stop(await containers.start(given), { graceMs: 2000 })
      await engine.docker.createContainer({
        Image: engine.gatewayImage,
        Labels: { [LABEL.installation]: HERE, [LABEL.purpose]: 'filler' },
        HostConfig: {
          Mounts: [{ Type: 'volume', Source: `${given.name}-state`, Target: '/filled' }],
        },
      })
      await docker.purge({ name: given.name, state: null })
      assert.deepEqual(await containers.volumes(), [])
      assert.deepEqual(await containers.containers(), [])
    })

    test('leaves no container behind that only carried data', async ({ assert }) => {
      const docker = await containers.open(HERE)
      const given = containers.spec()
      await docker.stop(await containers.start(given), { graceMs: 2000 })
      const ref = { name: given.name, state: null }
      await buffer((await docker.exportData(ref, patient()))!)
      await docker.remove(ref)
      assert.deepEqual(await containers.containers(), [])
    })
  })
}

async function turn(
  driver: RuntimeDriver,
  { endpoint }: { endpoint: string },
  token: string
): Promise<string> {
  const response = await fetchBy(driver)(`${endpoint}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${token}`, 'x-openclaw-session-key': 'contract' },
    body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: 'hi' }] }),
    signal: AbortSignal.timeout(20_000),
  })
  const body = (await response.json()) as any
  return body.choices[0].message.content
}

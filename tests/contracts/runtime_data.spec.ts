import { buffer } from 'node:stream/consumers'
import { chownSync, statSync, writeFileSync } from 'node:fs'
import { test } from '@japa/runner'
import { testEngine } from '#tests/engine/engine'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'
import { runtimeDataContract } from '#tests/contracts/runtime_data'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import { HERE as PROCESS_HERE, ProcessTrial } from '#tests/contracts/process_trial'
import { DockerTrial, HERE, removeNetworks } from '#tests/contracts/docker_trial'
import type { RuntimeDriver } from '#runtimes/contract'

const engine = testEngine()

const patient = () => ({ signal: new AbortController().signal })

runtimeDataContract('memory', async () => {
  const world = new MemoryWorld()
  const open = async (installation: string) => new MemoryDriver({ world }, installation)
  return {
    open,
    apiUrl: 'http://127.0.0.1:9',
    kill: async ({ name }) => (await open('any')).crash(name),
    plant: async () => async () => true,
    close: async () => (await open('any')).reset(),
  }
})

runtimeDataContract('process', () => ProcessTrial.prepare())
runtimeDataContract('process, all as one user', () => ProcessTrial.prepare({ users: false }))
if (engine) runtimeDataContract('docker', () => DockerTrial.prepare(engine))

test.group('Runtime | data of the process driver', (group) => {
  let trial: ProcessTrial
  let driver: RuntimeDriver

  group.each.setup(async () => {
    trial = await ProcessTrial.prepare()
    driver = await trial.open(PROCESS_HERE)
    return () => trial.close()
  })

  test('belongs to the agent, with the modes that it had', async ({ assert }) => {
    const [one, two] = [trial.spec(), trial.spec()]
    await driver.stop(await trial.start(one), { graceMs: 2000 })
    const tool = trial.agentPath(one.name, 'state', 'tool')
    writeFileSync(tool, '#!/bin/sh', { mode: 0o750 })
    const { uid, gid } = statSync(trial.agentPath(one.name, 'state'))
    chownSync(tool, uid, gid)
    const ref = { name: one.name, state: null }
    await driver.importData!(two, (await driver.exportData!(ref, patient()))!, patient())

    const moved = statSync(trial.agentPath(two.name, 'state', 'tool'))
    assert.equal(moved.mode & 0o777, 0o750)
    assert.equal(moved.uid, statSync(trial.agentPath(two.name, 'state')).uid)
    assert.equal(statSync(trial.agentPath(two.name, 'state')).mode & 0o777, 0o700)
  })
})

if (engine) {
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

import { chownSync, statSync, writeFileSync } from 'node:fs'
import { test } from '@japa/runner'
import { memoryTrial } from '#tests/contracts/memory_trial'
import { runtimeDataSuite } from '#tests/contracts/runtime_data'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import type { RuntimeDriver } from '#runtimes/contract'

const patient = () => ({ signal: new AbortController().signal })

runtimeDataSuite(test, { name: 'memory', prepare: memoryTrial })
runtimeDataSuite(test, { name: 'process', prepare: () => ProcessTrial.prepare() })
runtimeDataSuite(test, {
  name: 'process, all as one user',
  prepare: () => ProcessTrial.prepare({ users: false }),
})

test.group('Runtime | data of the process driver', (group) => {
  let trial: ProcessTrial
  let driver: RuntimeDriver

  group.each.setup(async () => {
    trial = await ProcessTrial.prepare()
    driver = await trial.open(HERE)
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

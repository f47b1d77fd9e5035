import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'

test.group('Runtime | process | preflight', (group) => {
  let trial: ProcessTrial

  group.each.setup(async () => {
    trial = await ProcessTrial.prepare()
    return () => trial.close()
  })

  test('says how to install OpenClaw where it is missing', async ({ assert }) => {
    const bare = await trial.open(HERE, { openclaw: [join(trial.folder, 'nowhere')] })
    const error = await trial.failureOf(bare, trial.spec())
    assert.equal(error.reason, 'image_missing')
    assert.match(error.help!, /npm run quickstart/)
    const [finding] = await bare.preflight()
    assert.equal(finding.code, 'openclaw_missing')
    assert.match(finding.hint, /install_openclaw\.mjs/)
  })

  test('refuses to start on a full disk, and warns before', async ({ assert }) => {
    const full = await trial.open(HERE, { freeBytes: async () => 1024 })
    const error = await trial.failureOf(full, trial.spec())
    assert.equal(error.reason, 'no_capacity')
    assert.match(error.message, /disk .* is full/)
    const nearly = await trial.open(HERE, { freeBytes: async () => 500 * 1024 * 1024 })
    const codes = (await nearly.preflight()).map(({ code, severity }) => `${severity} ${code}`)
    assert.include(codes, 'warning disk_nearly_full')
  })

  test('finds a Node that is too old', async ({ assert }) => {
    const node = join(trial.folder, 'node')
    await writeFile(node, '#!/bin/sh\necho v20.20.2\n', { mode: 0o755 })
    const [finding] = await (await trial.open(HERE, { node })).preflight()
    assert.equal(finding.code, 'node_too_old')
    assert.include(finding.message, 'v20.20.2')
  })

  test('warns that agents share a user where they do', async ({ assert }) => {
    const shared = await trial.open(HERE, { users: false })
    assert.equal(shared.capabilities.isolation, 'none')
    const codes = (await shared.preflight()).map(({ code }) => code)
    assert.include(codes, 'process_shared_user')
  })
})

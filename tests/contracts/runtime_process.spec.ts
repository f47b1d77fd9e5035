import { existsSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { ProcessDriver } from '#runtimes/drivers/process/driver'
import { runtimeSuite } from '#tests/contracts/runtime'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import { swapFile } from '#tests/swap_file'

const { capabilities } = new ProcessDriver({ storage: '', openclaw: [], entrypoint: '' }, '')

runtimeSuite(test, {
  name: 'process',
  capabilities,
  prepare: () => ProcessTrial.prepare(),
  ...(capabilities.pageOut && { swap: swapFile }),
})

if (capabilities.isolation !== 'none') {
  // As when Mosaic is not root.
  runtimeSuite(test, {
    name: 'process, all as one user',
    capabilities: { ...capabilities, isolation: 'none', limits: false, pageOut: false },
    prepare: () => ProcessTrial.prepare({ users: false }),
  })
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

test.group('Runtime | process', (group) => {
  let trial: ProcessTrial
  let driver: ProcessDriver

  group.each.setup(async () => {
    trial = await ProcessTrial.prepare()
    driver = await trial.open(HERE)
    return () => trial.close()
  })

  test('hands the document and the files over at each start', async ({ assert }) => {
    const given = trial.spec({}, [{ path: 'workspace/SOUL.md', content: 'Be kind.' }])
    const instance = await trial.start(given)
    const state = (path: string) => readFileSync(trial.agentPath(given.name, 'state', path), 'utf8')
    assert.equal(state('workspace/SOUL.md'), 'Be kind.')
    assert.deepEqual(JSON.parse(state('openclaw.json')), { fake: {} })
    assert.isTrue(trial.documents.asked.every(({ token }) => token === given.token.release()))

    await driver.stop(instance, { graceMs: 5000 })
    trial.documents.serve(given.agent, { fake: {} }, [
      { path: 'workspace/SOUL.md', content: 'Be brief.' },
    ])
    await trial.start(given)
    assert.equal(state('workspace/SOUL.md'), 'Be brief.')
  })

  test('keeps the data of an agent from everyone else', async ({ assert }) => {
    const given = trial.spec()
    await trial.start(given)
    const path = (...parts: string[]) => trial.agentPath(given.name, ...parts)
    for (const folder of ['state', 'home', 'cache', 'tmp'])
      assert.equal(modeOf(path(folder)), '700')
    assert.equal(modeOf(path('secrets.json')), '400')
    for (const file of ['instance.json', 'agent.log', 'state/openclaw.json']) {
      assert.equal(modeOf(path(file)), '600')
    }
    assert.equal(modeOf(path()), capabilities.isolation !== 'none' ? '710' : '700')
  })

  test('shows no secret in arguments, environment, record or document', async ({ assert }) => {
    const given = trial.spec()
    const { id } = await trial.start(given)
    const token = given.token.release()
    for (const file of ['cmdline', 'environ']) {
      assert.notInclude(readFileSync(`/proc/${id}/${file}`, 'utf8'), token)
    }
    for (const file of ['instance.json', 'state/openclaw.json', 'agent.log']) {
      assert.notInclude(readFileSync(trial.agentPath(given.name, file), 'utf8'), token)
    }
  })

  test('hands on nothing of its own environment', async ({ assert }) => {
    process.env.MOSAIC_CANARY = 'canary-of-the-environment'
    try {
      const { id } = await trial.start(trial.spec())
      const environment = readFileSync(`/proc/${id}/environ`, 'utf8')
      assert.notInclude(environment, 'canary-of-the-environment')
      assert.notInclude(environment, 'MOSAIC_SECRET_KEY')
      assert.notInclude(environment, 'DATABASE_URL')
    } finally {
      delete process.env.MOSAIC_CANARY
    }
  })

  test('hands on no open file but the log', async ({ assert }) => {
    const given = trial.spec()
    const { id } = await trial.start(given)
    const links = ['0', '1', '2'].map((fd) => readlinkSync(`/proc/${id}/fd/${fd}`))
    const file = trial.agentPath(given.name, 'agent.log')
    // In a sandbox, the first process writes to the log itself before the launcher silences its output.
    assert.equal(links[0], '/dev/null')
    assert.includeMembers(['/dev/null', file], links)
    assert.equal(links[2], file)
  })

  test('keeps a log below its limit and reads its end', async ({ assert }) => {
    const chatty = await trial.open(HERE, { logBytes: 10_000 })
    const given = trial.spec({ print: { text: 'x'.repeat(99), times: 1000 } })
    const instance = await trial.start(given, chatty)
    await chatty.stop(instance, { graceMs: 5000 })
    await trial.start(given, chatty)
    const sizes = ['agent.log', 'agent.log.1'].map((file) => {
      const path = trial.agentPath(given.name, file)
      return existsSync(path) ? statSync(path).size : 0
    })
    assert.isAtMost(sizes[1], 10_000)
    assert.isAtMost(sizes[0], 110_000)
    assert.match((await Array.fromAsync(chatty.logs(instance, { tail: 1 })))[0], /gateway listens/)
  })

  test('clears away what an interrupted purge left', async ({ assert }) => {
    const left = join(trial.config.storage, 'agents', '.erased-before')
    await mkdir(join(left, 'state'), { recursive: true })
    const opened = await trial.open(HERE)
    await opened.ensure(trial.spec({ exitCode: 0 }), trial.patient())
    assert.isFalse(existsSync(left))
  })

  test('removes all of an agent when it is purged, and follows no link out of it', async ({
    assert,
  }) => {
    const given = trial.spec()
    const instance = await trial.start(given)
    const outside = join(trial.folder, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'kept'), 'kept')
    await symlink(outside, trial.agentPath(given.name, 'state', 'link'))
    await driver.purge(instance)
    assert.isFalse(existsSync(trial.agentPath(given.name)))
    assert.equal(await readFile(join(outside, 'kept'), 'utf8'), 'kept')
    await rm(outside, { recursive: true })
  })
})

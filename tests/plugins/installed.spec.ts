import { randomBytes } from 'node:crypto'
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from '@japa/runner'
import { textOf, type Api } from '#tests/e2e/api'
import { processesOf } from '../runner/processes.mjs'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { freePort } from '#tests/free_port'
import { setUp } from '#tests/e2e/ready_mosaic'
import { MODEL, OpenrouterService } from '#tests/plugins/openrouter_service'
import { exampleFolder } from '#tests/plugins/outside'
import { ProductCopy } from '#tests/plugins/product_copy'

const PLUGINS = ['bubblewrap', 'key-file', 'openrouter']
const API_KEY = 'sk-or-a-key-of-the-tests'
const FIRST = 'My boat is called Halcyon. Please remember that.'

/** Each step: a wake of the real OpenClaw on a busy machine, and what comes before it. */
const STEP_TIMEOUT_MS = 600_000
const WAKE_DEADLINE_MS = 300_000

/**
 * One installation with a plugin of each kind, from first to last: each test begins where the one before ended.
 */
test.group('Plugins in an installation', (group) => {
  let copy: ProductCopy
  let mosaic: MosaicProcess
  let service: OpenrouterService
  let admin: Api
  let conversationId: string | undefined
  const closing: (() => Promise<void>)[] = []
  const environment: Record<string, string | undefined> = {}

  group.each.timeout(STEP_TIMEOUT_MS)
  group.setup(async () => {
    copy = await ProductCopy.make()
    service = await new OpenrouterService(API_KEY).start()
    mosaic = new MosaicProcess(copy.path, copy.path)
    const keys = join(mosaic.folder, 'keys')
    writeFileSync(keys, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
    Object.assign(environment, {
      KEY_FILE_PATH: keys,
      VAULT_DRIVER: 'key-file',
      // The same after a restart, so that a running agent still reaches Mosaic.
      PORT: String(await freePort()),
      INTERNAL_PORT: String(await freePort()),
    })
    await mosaic.prepare(environment)
    closing.push(
      () => copy.close(),
      () => service.close(),
      () => mosaic.end()
    )
    return async () => {
      for (const close of closing.toReversed()) await close()
    }
  })
  /** A step that fails says what Mosaic and the agent said. */
  group.each.setup(() => (hasError) => {
    if (!hasError) return
    const logs = globSync('runtimes/bubblewrap/agents/*/agent.log', { cwd: mosaic.storage })
    const said = logs.map((file) => readFileSync(join(mosaic.storage, file), 'utf8'))
    console.error(`Mosaic says:\n${mosaic.log}\nThe agent says:\n${said.join('\n')}`)
  })

  const select = (sql: string) => {
    const database = new DatabaseSync(mosaic.databaseFile, { readOnly: true })
    try {
      return database.prepare(sql).all() as Record<string, string>[]
    } finally {
      database.close()
    }
  }
  const runtimes = () => select('select runtime from user_containers').map((row) => row.runtime)
  const sealedKeys = () => select('select api_key from llm_providers').map((row) => row.api_key)
  const listed = () =>
    mosaic.aceJson<{ plugins: { name: string; brings: object; problem: unknown }[] }>('plugin:list')

  async function awake(): Promise<void> {
    const deadline = Date.now() + WAKE_DEADLINE_MS
    for (;;) {
      const agent = await admin.ask<{ status: string }>('GET', '/api/v1/agent')
      if (agent.status === 'running') return
      if (Date.now() > deadline)
        throw new Error(`The agent does not wake: ${JSON.stringify(agent)}`)
      await admin.ask('POST', '/api/v1/agent/start')
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }

  async function say(message: string): Promise<string> {
    await awake()
    const events = await admin.chat(message, conversationId)
    const last = events.at(-1)
    if (last?.event !== 'done') throw new Error(JSON.stringify(events))
    conversationId = last.data.conversationId
    return textOf(events)
  }

  async function restart(): Promise<void> {
    await mosaic.stop()
    await mosaic.prepare(environment)
    await mosaic.start()
  }

  async function packedExample(name: string): Promise<string> {
    const folder = await exampleFolder(name)
    const { code, output } = await folder.build()
    if (code !== 0) throw new Error(output)
    return folder.pack()
  }

  test('are added from tarballs, and listed with what they bring', async ({ assert }) => {
    for (const name of PLUGINS) {
      const tarball = await packedExample(name)
      const added = await mosaic.aceJson('plugin:add', tarball)
      assert.containSubset(added, { name: `mosaic-${name}`, added: true })
    }
    const none = { runtimes: [], adapters: [], vaults: [], services: [] }
    assert.deepEqual((await listed()).plugins, [
      loaded('bubblewrap', { ...none, runtimes: ['bubblewrap'] }),
      loaded('key-file', { ...none, vaults: ['key-file'] }),
      loaded('openrouter', { ...none, adapters: ['openrouter'] }),
    ])
  })

  test('carry a conversation with the real OpenClaw', async ({ assert }) => {
    const provider = { type: 'openrouter', baseUrl: service.url, apiKey: API_KEY, model: MODEL }
    admin = await setUp(mosaic, provider, { 'runtime.driver': 'bubblewrap' })
    assert.equal(await say(FIRST), OpenrouterService.answer(1))

    const [{ headers, told }] = service.chats
    assert.equal(headers['x-title'], 'Mosaic')
    assert.include(told, FIRST)
    assert.deepEqual(runtimes(), ['bubblewrap'])
    assert.include(processesOf(mosaic.storage).map(nameOf), 'bwrap')
    for (const sealed of sealedKeys()) assert.match(sealed, /^enc:key-file:/)
  })

  test('are kept by an upgrade, which overwrites every file of the product', async ({ assert }) => {
    const files = ['package.json', 'adonisrc.ts', 'config/runtime.ts', 'build/adonisrc.js']
    const texts = () => files.map((file) => readFileSync(join(copy.path, file), 'utf8'))
    const before = texts()
    await mosaic.stop()
    for (const file of files) {
      const path = join(copy.path, file)
      // A new file: the build's own is a link to the repository's.
      rmSync(path)
      writeFileSync(path, 'of the former version')
    }
    await copy.install()
    assert.deepEqual(texts(), before)

    await mosaic.ace('migration:run', '--force')
    await restart()
    assert.lengthOf((await listed()).plugins, PLUGINS.length)
    assert.equal(await say('What is my boat called?'), OpenrouterService.answer(2))
    assert.include(service.chats[1].told, FIRST)
    assert.deepEqual(runtimes(), ['bubblewrap'])
  })

  test('stay while something needs them', async ({ assert }) => {
    for (const name of PLUGINS) {
      const { code, err } = await mosaic.ace('plugin:remove', `mosaic-${name}`, '--json')
      assert.equal(code, 1)
      assert.include(err, 'E_PLUGIN_IN_USE')
    }
    assert.lengthOf((await listed()).plugins, PLUGINS.length)
  })

  test('leave by the way out that the refusal names, and the agent keeps its memory', async ({
    assert,
  }) => {
    // The data of the agent moves as it starts in another runtime.
    await mosaic.aceJson('settings:set', 'runtime.driver', 'process')
    // Its provider becomes one of a kind that Mosaic brings.
    const [former] = await admin.ask<{ id: string }[]>('GET', '/api/v1/providers')
    const { id: providerId } = await admin.ask<{ id: string }>('POST', '/api/v1/providers', {
      type: 'custom',
      name: 'plain',
      displayName: 'Plain',
      baseUrl: service.url,
      apiKey: API_KEY,
      models: [{ id: MODEL, name: MODEL }],
    })
    const primaryModel = `plain/${MODEL}`
    await admin.ask('PUT', '/api/v1/agent-config', { providerId, primaryModel })
    await admin.ask('DELETE', `/api/v1/providers/${former.id}`)
    // Secrets move to the vault that seals from now on.
    delete environment.VAULT_DRIVER
    await restart()
    assert.containSubset(await mosaic.aceJson('vault:rotate'), { failed: 0 })
    await mosaic.aceJson('agent:stop', 'admin')

    assert.equal(await say('And once more: what is it called?'), OpenrouterService.answer(3))
    assert.include(service.chats[2].told, FIRST)
    assert.isUndefined(service.chats[2].headers['x-title'])
    assert.deepEqual(runtimes(), ['process'])
    for (const sealed of sealedKeys()) assert.match(sealed, /^enc:v1:/)

    for (const name of PLUGINS) {
      const removed = await mosaic.aceJson('plugin:remove', `mosaic-${name}`)
      assert.containSubset(removed, { removed: true })
    }
    await restart()
    assert.deepEqual((await listed()).plugins, [])
    assert.equal(await say('Are you still there?'), OpenrouterService.answer(4))
  })
})

function loaded(name: string, brings: object) {
  return { name: `mosaic-${name}`, version: '0.1.0', brings, problem: null }
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
}

import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { createServer, type AddressInfo } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from '@japa/runner'
import { knowledgeTokenOf } from '#models/with_lifecycle'
import { AgentDocuments } from '#tests/doubles/agent_documents'

const LAUNCHER = new URL('../../../docker/agent/entrypoint.sh', import.meta.url).pathname

/** The first byte of a connection with TLS. */
const TLS_HANDSHAKE = 22

/** Tells what it was started with, and ends. */
const OPENCLAW = `
import { readFileSync } from 'node:fs'
const { OPENCLAW_CONFIG_PATH, OPENCLAW_STATE_DIR, MOSAIC_SECRETS_FILE, MOSAIC_KNOWLEDGE_TOKEN } = process.env
const document = JSON.parse(readFileSync(OPENCLAW_CONFIG_PATH, 'utf8'))
const told = { args: process.argv.slice(2), document, state: OPENCLAW_STATE_DIR, secrets: MOSAIC_SECRETS_FILE, knowledge: MOSAIC_KNOWLEDGE_TOKEN }
console.log('what the agent said')
console.error(JSON.stringify(told))
`

test.group('Agent launcher', (group) => {
  let folder: string
  let documents: AgentDocuments

  group.each.setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mosaic-launcher-'))
    documents = await new AgentDocuments().start()
    await writeFile(join(folder, 'secrets.json'), JSON.stringify({ token: 'the token' }))
    await mkdir(join(folder, 'app'))
    await writeFile(join(folder, 'app', 'openclaw.mjs'), OPENCLAW)
    return async () => {
      await documents.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })

  async function launch(change: Record<string, string> = {}, cwd = join(folder, 'app')) {
    const child = spawn('/bin/sh', [LAUNCHER], {
      cwd,
      env: {
        PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
        HOME: folder,
        MOSAIC_API_URL: documents.url,
        AGENT_ID: 'user/1',
        MOSAIC_SECRETS_FILE: join(folder, 'secrets.json'),
        MOSAIC_FETCH_SEC: '1',
        ...change,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const texts = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => (texts.stdout += chunk))
    child.stderr.on('data', (chunk) => (texts.stderr += chunk))
    const [code] = await once(child, 'close')
    return { code: code as number, ...texts }
  }

  test('starts the OpenClaw of the working folder, as a container does', async ({ assert }) => {
    documents.serve('user/1', { gateway: {} })
    const { code, stderr } = await launch()
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stderr), {
      args: ['gateway', 'run', '--port', '18789', '--bind', 'lan', '--auth', 'token'],
      document: { gateway: {} },
      state: join(folder, '.openclaw'),
      secrets: join(folder, 'secrets.json'),
      /** It opens what is known, and nothing else. */
      knowledge: knowledgeTokenOf('the token'),
    })
    assert.deepEqual(documents.asked.map(({ path, token }) => `${path} ${token}`).toSorted(), [
      ' the token',
      '/files the token',
    ])
  })

  test('keeps what the agent says to itself, and hands on its errors alone', async ({ assert }) => {
    documents.serve('user/1', { gateway: {} })
    const { stdout, stderr } = await launch()
    assert.equal(stdout, '')
    assert.notInclude(stderr, 'what the agent said')
  })

  test('listens where it is told to', async ({ assert }) => {
    const place = { MOSAIC_GATEWAY_PORT: '4711', MOSAIC_GATEWAY_BIND: 'loopback' }
    const { stderr } = await launch(place)
    assert.includeMembers(JSON.parse(stderr).args, ['4711', 'loopback'])
  })

  test('runs on the Node that it is given, named as it may be', async ({ assert }) => {
    const node = join(folder, `another-${basename(process.execPath)}`)
    await copyFile(process.execPath, node)
    assert.equal((await launch({ MOSAIC_NODE: node, PATH: '/usr/bin:/bin' })).code, 0)
  })

  test('writes the files into the state folder', async ({ assert }) => {
    documents.serve('user/1', {}, [{ path: 'workspace/SOUL.md', content: 'Be kind.' }])
    await launch()
    const soul = join(folder, '.openclaw', 'workspace', 'SOUL.md')
    assert.equal(await readFile(soul, 'utf8'), 'Be kind.')
  })

  test('ends the leases of other hosts, for which OpenClaw would wait, and no others', async ({
    assert,
  }) => {
    documents.serve('user/1', {})
    await mkdir(join(folder, '.openclaw', 'state'), { recursive: true })
    const database = new DatabaseSync(join(folder, '.openclaw', 'state', 'openclaw.sqlite'))
    database.exec('create table state_leases (owner text, payload_json text)')
    const add = database.prepare('insert into state_leases values (?, ?)')
    add.run('elsewhere', JSON.stringify({ owner: { host: 'another', pid: 7 } }))
    add.run('here', JSON.stringify({ owner: { host: hostname(), pid: 7 } }))
    add.run('nameless', null)
    assert.equal((await launch()).code, 0)
    const left = database.prepare('select owner from state_leases').all()
    database.close()
    assert.deepEqual(
      left.map(({ owner }) => owner),
      ['here', 'nameless']
    )
  })

  test('leaves it to OpenClaw to say what is wrong with its database', async ({ assert }) => {
    documents.serve('user/1', {})
    await mkdir(join(folder, '.openclaw', 'state'), { recursive: true })
    await writeFile(join(folder, '.openclaw', 'state', 'openclaw.sqlite'), 'no database')
    const { code, stderr } = await launch()
    assert.equal(code, 0)
    assert.doesNotThrow(() => JSON.parse(stderr))
  })

  test('writes no file outside of the state folder', async ({ assert }) => {
    documents.serve('user/1', {}, [{ path: '../outside', content: 'no' }])
    assert.equal((await launch()).code, 78)
    await assert.rejects(() => readFile(join(folder, 'outside'), 'utf8'), /ENOENT/)
  })

  test('says that OpenClaw is missing', async ({ assert }) => {
    const { code, stderr } = await launch({ MOSAIC_OPENCLAW: '/nowhere' })
    assert.equal(code, 69)
    assert.include(stderr, 'OpenClaw is not here: /nowhere')
  })

  test('says that Mosaic cannot be reached', async ({ assert }) => {
    const { code, stderr } = await launch({ MOSAIC_API_URL: 'http://127.0.0.1:9' })
    assert.equal(code, 75)
    assert.include(stderr, 'cannot be reached')
  })

  test('speaks TLS to a balancer that asks for it', async ({ assert, cleanup }) => {
    const begun: number[] = []
    const balancer = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', ([first]) => {
        begun.push(first)
        socket.destroy()
      })
    })
    balancer.listen(0, '127.0.0.1')
    await once(balancer, 'listening')
    cleanup(() => void balancer.close())
    const { port } = balancer.address() as AddressInfo
    assert.equal((await launch({ MOSAIC_API_URL: `https://127.0.0.1:${port}` })).code, 75)
    assert.equal(begun[0], TLS_HANDSHAKE)
  })

  test('waits for a Mosaic that is about to come back', async ({ assert }) => {
    documents.refusal = { status: 503, code: 'E_DRAINING' }
    const launched = launch({ MOSAIC_FETCH_SEC: '10' })
    while (documents.asked.length < 2) await new Promise((resolve) => setImmediate(resolve))
    documents.refusal = null
    assert.equal((await launched).code, 0)
  })

  test('ends with {exitCode} for the answer {status} {code}, and shows no token')
    .with([
      { status: 401, code: 'E_UNAUTHORIZED', exitCode: 77 },
      { status: 404, code: 'E_ROW_NOT_FOUND', exitCode: 77 },
      { status: 409, code: 'E_NO_PROVIDER', exitCode: 65 },
      { status: 422, code: 'E_OTHER', exitCode: 78 },
    ])
    .run(async ({ assert }, { status, code, exitCode }) => {
      documents.refusal = { status, code }
      const launched = await launch()
      assert.equal(launched.code, exitCode)
      assert.notInclude(launched.stdout + launched.stderr, 'the token')
    })
})

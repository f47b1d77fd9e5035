import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import router from '@adonisjs/core/services/router'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
import ArchiveConversation from '#models/archive_conversation'
import DataKey from '#models/data_key'
import Finding from '#models/finding'
import Task from '#models/task'
import { McpServer } from '#knowledge/mcp/server'
import { isApiPath } from '#exceptions/answer_form'
import { postgresPrograms } from '../../runner/system.mjs'
import { twoCallers, type Caller } from '#tests/functional/knowledge/people'

/** Planted wherever knowledge is stored: visible to their owner, and nowhere else. */
const CANARIES = {
  title: 'canaryfindingtitle',
  body: 'canaryfindingbody',
  source: 'canaryfindingsource',
  key: 'canarymemorykey',
  namespace: 'canarymemoryspace',
  value: 'canarymemoryvalue',
  task: 'canarytasktitle',
  taskBody: 'canarytaskbody',
  result: 'canarytaskresult',
  conversation: 'canaryconversation',
  conversationTitle: 'canaryconversationtitle',
  message: 'canarymessage',
}

/** Stores every canary as a user and their agent do. */
async function plant({ visitor, user }: Caller): Promise<void> {
  const { title, body, source, key, namespace, value, task, taskBody, result } = CANARIES
  await visitor.post('/api/v1/findings', { title, body, source })
  await visitor.send('PUT', `/api/v1/agent/memory/${key}`, { value: { value }, namespace })
  await visitor.post('/api/v1/tasks', { title: task, body: taskBody, result })
  await visitor.send('PUT', '/api/v1/archive', { enabled: true, days: 30 })
  const ingestion = await app.container.make('knowledge.archive_ingestion')
  const { conversation: id, conversationTitle, message: text } = CANARIES
  await ingestion.ingest(user.id, {
    list: async () => [{ id, title: conversationTitle, updatedAt: new Date() }],
    read: async () => ({
      messages: [{ id: 'm1', role: 'user', text, at: new Date() }],
      nextCursor: null,
    }),
  })
}

const planted = (text: string) => Object.values(CANARIES).filter((one) => text.includes(one))

test.group('What is known', (group) => {
  let me: Caller
  let other: Caller

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
    await plant(me)
  })

  /** Dumps every row of every table. */
  async function dump(): Promise<string> {
    const isPostgres = db.connection().dialect.name === 'postgres'
    const tables = isPostgres
      ? await db.from('pg_tables').where('schemaname', 'public').select('tablename as name')
      : await db.from('sqlite_master').where('type', 'table').select('name')
    const rows = []
    for (const { name } of tables) rows.push(await db.from(name).select('*'))
    return JSON.stringify(rows)
  }

  test('is told to its owner', async ({ assert }) => {
    const answers = await Promise.all([
      me.visitor.get('/api/v1/findings'),
      me.visitor.get('/api/v1/agent/memory'),
      me.visitor.get('/api/v1/tasks'),
      me.visitor.get(`/api/v1/archive/search?query=${CANARIES.message}`),
    ])
    assert.sameMembers(planted(JSON.stringify(answers)), Object.values(CANARIES))
  })

  test('is exported to its owner, a line each, and to nobody else', async ({ assert }) => {
    const path = '/api/v1/knowledge/export'
    const mine = await me.visitor.get(path)
    assert.equal(mine.status, 200)
    const lines = mine.body.trim().split('\n')
    assert.deepEqual(
      lines.map((line: string) => JSON.parse(line).type),
      ['finding', 'memory', 'task', 'message']
    )
    assert.sameMembers(planted(mine.body), Object.values(CANARIES))
    const theirs = await other.visitor.get(path)
    assert.equal(theirs.status, 200)
    assert.equal(theirs.body, '')
  })

  test('is in no row of the database', async ({ assert }) => {
    const rows = await dump()
    assert.include(rows, me.user.id, 'the dump holds rows of its owner')
    assert.include(rows, 'own:v1:')
    assert.deepEqual(planted(rows), [])
  })

  test('is told to no other user and no admin, on any route', async ({ assert }) => {
    const admin = await UserFactory.apply('admin').create()
    const tokens = await app.container.make('identity.tokens')
    const token = (await tokens.create(admin, { name: 'test' })).value!.release()
    const asAdmin = { authorization: `Bearer ${token}` }
    const { id: userId } = me.user
    const rowIds = [
      (await Finding.ownedBy(userId).firstOrFail()).id,
      (await Task.ownedBy(userId).firstOrFail()).id,
      (await ArchiveConversation.ownedBy(userId).firstOrFail()).id,
    ]
    const ids = [userId, CANARIES.key, CANARIES.conversation, ...rowIds]
    const routes = Object.values(router.toJSON())
      .flat()
      .filter(({ meta, methods }) => meta.access !== 'anyone' && methods.includes('GET'))
      /** Streams, and what an agent would have to wake for. */
      .filter(({ pattern }) => !/events|stream|conversations|agent\/logs/.test(pattern))
    const seen: string[] = []
    for (const { pattern } of routes) {
      const paths = pattern.includes(':')
        ? ids.map((id) => pattern.replace(/:\w+\??/g, id))
        : [pattern]
      for (const path of paths) {
        const query = isApiPath(path) ? `?query=${CANARIES.message}&search=${CANARIES.title}` : ''
        for (const headers of [{}, asAdmin]) {
          const { body } = await other.visitor.get(`${path}${query}`, headers)
          const text = JSON.stringify(body).replaceAll(query, '')
          /** A page knows its own address. */
          const told = planted(text).filter((canary) => !path.includes(canary))
          for (const canary of told) seen.push(`${path} tells ${canary}`)
        }
      }
    }
    assert.deepEqual(seen, [])
    assert.isAbove(routes.length, 40)
  }).timeout(120_000)

  test('opens nowhere once its data key is gone, not even beside new data', async ({ assert }) => {
    await DataKey.query().where('user_id', me.user.id).delete()
    const told = async () => {
      const found = [
        await me.visitor.post('/api/v1/findings/search', { query: CANARIES.body }),
        await me.visitor.get(`/api/v1/archive/search?query=${CANARIES.message}`),
        await me.visitor.get(
          `/api/v1/agent/memory/${CANARIES.key}?namespace=${CANARIES.namespace}`
        ),
        ...(await Promise.all(
          ['findings', 'agent/memory', 'tasks'].map((path) => me.visitor.get(`/api/v1/${path}`))
        )),
      ].map(({ body }) => body)
      const agent = await toolsOfTheAgent(me.user.id)
      return planted(JSON.stringify([found, agent]).replaceAll(CANARIES.key, ''))
    }
    assert.deepEqual(await told(), [])
    await me.visitor.post('/api/v1/findings', { title: 'After', body: 'the key was lost' })
    await me.visitor.post('/api/v1/tasks', { title: 'Begin again' })
    assert.lengthOf(await DataKey.query().where('user_id', me.user.id), 1)
    assert.deepEqual(await told(), [])
  })

  /** What the agent is told by each of its tools that reads. */
  async function toolsOfTheAgent(userId: string): Promise<unknown[]> {
    const server = new McpServer({
      findings: await app.container.make('knowledge.findings'),
      memories: await app.container.make('knowledge.memories'),
      tasks: await app.container.make('knowledge.tasks'),
    })
    const calls = {
      findings_search: { query: `${CANARIES.title} ${CANARIES.body}` },
      memory_get: { namespace: CANARIES.namespace },
      tasks_list: {},
    }
    return Promise.all(
      Object.entries(calls).map(([name, input]) =>
        server.answer(
          { userId, access: 'read' },
          JSON.stringify({
            jsonrpc: '2.0',
            id: 1,
            method: 'tools/call',
            params: { name, arguments: input },
          })
        )
      )
    )
  }

  test('is in no row of the index either, and goes with its owner', async ({ assert }) => {
    const words = await db.from('search_words').select('word')
    assert.isAbove(words.length, 0)
    await me.user.delete()
    for (const table of [
      'data_keys',
      'findings',
      'agent_memories',
      'tasks',
      'archive_messages',
      'archive_conversations',
      'search_documents',
      'search_words',
    ]) {
      assert.lengthOf(await db.from(table), 0, table)
    }
  })
})

test.group('What is known, in a dump', (group) => {
  group.each.setup(() => testUtils.db().truncate())

  /** What somebody has who has stolen the database. */
  async function stolen(): Promise<string> {
    const url = process.env.DATABASE_URL!
    if (url.startsWith('postgres')) {
      const program = join(await postgresPrograms(), 'pg_dump')
      const { stdout } = await promisify(execFile)(program, [`--dbname=${url}`], {
        maxBuffer: 64 * 1024 * 1024,
      })
      return stdout
    }
    const file = url.replace(/^sqlite:/, '')
    return [file, `${file}-wal`]
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'latin1'))
      .join('\n')
  }

  test('cannot be read', async ({ assert }) => {
    const [me] = await twoCallers()
    await plant(me)
    const dump = await stolen()
    assert.include(dump, me.user.id, 'the dump holds rows of its owner')
    assert.include(dump, 'own:v1:')
    assert.deepEqual(planted(dump), [])
  })
})

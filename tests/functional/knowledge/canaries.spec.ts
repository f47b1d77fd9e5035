import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
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

test.group('What is known', (group) => {
  let me: Caller
  let other: Caller

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
    await plant()
  })

  async function plant() {
    const { title, body, source, key, namespace, value, task, taskBody, result } = CANARIES
    const { visitor, user } = me
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

  test('is in no row of the database', async ({ assert }) => {
    const rows = await dump()
    assert.include(rows, me.user.id, 'the dump holds rows of its owner')
    assert.include(rows, 'own:v1:')
    assert.deepEqual(planted(rows), [])
  })

  test('is told to no other user, and to no admin', async ({ assert }) => {
    const admin = await UserFactory.apply('admin').create()
    const tokens = await app.container.make('identity.tokens')
    const token = (await tokens.create(admin, { name: 'test' })).value!.release()
    const paths = [
      '/api/v1/findings',
      '/api/v1/agent/memory',
      `/api/v1/agent/memory?namespace=${CANARIES.namespace}`,
      '/api/v1/tasks',
      `/api/v1/archive/search?query=${CANARIES.message}`,
      '/api/v1/admin/audit',
      '/api/v1/admin/users',
      `/api/v1/admin/users/${me.user.id}`,
      '/api/v1/admin/usage',
    ]
    const headers = { authorization: `Bearer ${token}` }
    for (const path of paths) {
      const answers = [await other.visitor.get(path), await other.visitor.get(path, headers)]
      assert.deepEqual(planted(JSON.stringify(answers.map(({ body }) => body))), [], path)
    }
  })

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

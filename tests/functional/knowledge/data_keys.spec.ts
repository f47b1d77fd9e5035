import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import DataKey from '#models/data_key'
import Finding from '#models/finding'
import { rotateVault } from '#installation/vault_rotation'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import { VaultManager } from '#vaults/manager'
import { SecretKey } from '#vaults/secret_keys'
import { UserFactory } from '#database/factories/user_factory'
import { Conversations } from '#tests/functional/knowledge/conversations'
import { codeOf, twoCallers, type Caller } from '#tests/functional/knowledge/people'

const OLD = new SecretKey('kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E')
const NEW = new SecretKey('Zt5uXc1Vb7Nm3Qw9Er2Ty6Ui8Op4As0D')

const FINDING = { title: 'canary-title-31', body: 'canary-body-32', source: 'canary-source-33' }

const LISTS = [
  '/api/v1/findings',
  '/api/v1/tasks',
  '/api/v1/agent/memory',
  '/api/v1/archive/conversations',
]

const OF_OWNERS = [
  'findings',
  'tasks',
  'agent_memories',
  'archive_conversations',
  'archive_messages',
]

/** Stores one entry of each kind. */
async function fill({ visitor, user }: Caller, word: string): Promise<void> {
  const text = { title: `Title ${word}`, body: `Body ${word}` }
  const agent = new Conversations()
  agent.say(word, `Said ${word}`)
  await visitor.send('PUT', '/api/v1/archive', { enabled: true, days: 30 })
  const answers = [
    await visitor.post('/api/v1/findings', text),
    await visitor.post('/api/v1/tasks', text),
    await visitor.send('PUT', `/api/v1/agent/memory/${word}`, { value: word }),
  ]
  const ingestion = await app.container.make('knowledge.archive_ingestion')
  if (
    (await ingestion.ingest(user.id, agent)) !== 1 ||
    answers.some(({ status }) => status > 201)
  ) {
    throw new Error('An entry was not stored.')
  }
}

test.group('Data keys', (group) => {
  let me: Caller
  let other: Caller

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
  })

  test('are one for each owner, also of many that make it at once', async ({ assert }) => {
    const keys = await app.container.make('knowledge.keys')
    const user = await UserFactory.create()
    assert.isNull(await keys.find(user.id))
    const made = await Promise.all(Array.from({ length: 5 }, () => keys.get(user.id)))
    assert.equal(new Set(made.map(({ id }) => id)).size, 1)
    assert.notEqual((await keys.get(other.user.id)).id, made[0].id)
    const row = await DataKey.findByOrFail('owner', `user/${user.id}`)
    assert.match(row.key!, /^enc:v1:/)
  })

  test('are rewrapped by a rotation, and what they sealed stays as it is', async ({ assert }) => {
    await me.visitor.post('/api/v1/findings', FINDING)
    const before = await Finding.ownedBy(me.user.id).firstOrFail()
    const vault = new Aes256GcmDriver({ keys: [NEW, OLD] })
    const vaults = new VaultManager({ default: 'own', drivers: { own: () => vault } })
    assert.equal((await rotateVault(vaults)).failed, 0)
    const row = await DataKey.findByOrFail('owner', `user/${me.user.id}`)
    assert.equal(vault.keyId(row.key!), NEW.id)
    const context = { table: 'data_keys', column: 'key', rowId: row.id }
    assert.lengthOf(Buffer.from(await vault.open(row.key!, context), 'base64url'), 32)
    assert.equal((await Finding.findOrFail(before.id)).title, before.title)
  })

  test('make all that they sealed unreadable by going', async ({ assert }) => {
    const { body } = await me.visitor.post('/api/v1/findings', FINDING)
    await DataKey.query().where('owner', `user/${me.user.id}`).delete()
    for (const path of ['/api/v1/findings', `/api/v1/findings/${body.data.id}`]) {
      const answer = await me.visitor.get(path)
      assert.deepEqual([answer.status, codeOf(answer)], [410, 'E_DATA_KEY_GONE'])
    }
    const search = await me.visitor.post('/api/v1/findings/search', { query: 'canary' })
    assert.deepEqual(search.body.data, [])

    const fresh = { title: 'After', body: 'the key was lost' }
    assert.equal((await me.visitor.post('/api/v1/findings', fresh)).status, 201)
    const gone = await me.visitor.get(`/api/v1/findings/${body.data.id}`)
    assert.equal(codeOf(gone), 'E_DATA_KEY_GONE', 'a new key does not open it either')
    assert.equal((await me.visitor.delete(`/api/v1/findings/${body.data.id}`)).status, 204)
  })

  test('of which one was lost leave readable what the next one seals', async ({ assert }) => {
    const { visitor } = me
    await fill(me, 'lost')
    await DataKey.query().where('owner', `user/${me.user.id}`).delete()
    await fill(me, 'kept')

    for (const path of LISTS) {
      const { status, body } = await visitor.get(path)
      assert.equal(status, 200, path)
      assert.lengthOf(body.data, 1, path)
      assert.include(JSON.stringify(body.data), 'kept')
      const { total, unreadable } = body.meta
      assert.deepEqual([total, unreadable], [2, 1], path)
    }
    const exported: string = (await visitor.get('/api/v1/knowledge/export')).body
    const lines = exported
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ type }) => type),
      ['finding', 'memory', 'task', 'message', 'unreadable']
    )
    assert.equal(lines.at(-1).count, 4)
  })

  test('of which all or one was lost leave rows that are deleted together, and nothing else', async ({
    assert,
  }) => {
    const path = '/api/v1/knowledge/unreadable'
    const loseKey = () => DataKey.query().where('owner', `user/${me.user.id}`).delete()
    const count = async () => (await me.visitor.get(path)).body.data.count
    const rows = async () =>
      Promise.all(OF_OWNERS.map(async (table) => (await db.from(table)).length))
    await fill(other, 'theirs')
    await fill(me, 'lost')
    assert.equal(await count(), 0)
    await loseKey()
    assert.equal(await count(), 4)
    await fill(me, 'kept')
    assert.equal(await count(), 4)

    assert.deepEqual((await me.visitor.send('DELETE', path)).body.data, { count: 4 })
    assert.equal(await count(), 0)
    for (const list of LISTS) {
      const { body } = await me.visitor.get(list)
      assert.lengthOf(body.data, 1, list)
      assert.notProperty(body.meta, 'unreadable')
    }
    const found = await me.visitor.post('/api/v1/findings/search', { query: 'body' })
    assert.lengthOf(found.body.data, 1)
    const { documents } = await db
      .from('search_collections')
      .where({ user_id: me.user.id, kind: 'finding' })
      .firstOrFail()
    assert.equal(documents, 1)

    await loseKey()
    assert.deepEqual((await me.visitor.send('DELETE', path)).body.data, { count: 4 })
    assert.deepEqual((await me.visitor.get('/api/v1/findings')).body.data, [])
    assert.deepEqual(
      await rows(),
      OF_OWNERS.map(() => 1),
      'those of the other owner'
    )
    assert.equal((await other.visitor.get(path)).body.data.count, 0)
  })

  test('that cannot be opened at present keep what they sealed', async ({ assert }) => {
    await fill(me, 'sealed')
    await DataKey.query().where('owner', `user/${me.user.id}`).update({ key: 'enc:v1:gone:AAAA' })
    const answer = await me.visitor.send('DELETE', '/api/v1/knowledge/unreadable')
    assert.isAtLeast(answer.status, 500)
    assert.lengthOf(await Finding.ownedBy(me.user.id), 1)
  })

  test('seal each text for its place alone', async ({ assert }) => {
    await me.visitor.post('/api/v1/findings', FINDING)
    const second = { title: 'Another', body: 'with other words' }
    await me.visitor.post('/api/v1/findings', second)
    const [one, two] = await Finding.ownedBy(me.user.id).orderBy('id')
    await db.from('findings').where('id', two.id).update({ body: one.body })
    const answer = await me.visitor.get(`/api/v1/findings/${two.id}`)
    assert.deepEqual([answer.status, codeOf(answer)], [500, 'E_VAULT_TAMPERED'])
  })

  test('refuse a column that is not sealed', async ({ assert }) => {
    const row = new Finding()
    row.merge({ userId: me.user.id, title: 'plain', body: 'plain', author: 'person', bytes: 1 })
    await assert.rejects(() => row.save(), /without being sealed/)
  })

  test('of two owners make different numbers of the same word', async ({ assert }) => {
    const keys = await app.container.make('knowledge.keys')
    const mine = await keys.get(me.user.id)
    const theirs = await keys.get(other.user.id)
    assert.notEqual(mine.word('finding', 'word'), theirs.word('finding', 'word'))
    assert.notEqual(mine.word('finding', 'word'), mine.word('archive', 'word'))
    assert.equal(mine.word('finding', 'word'), (await keys.get(me.user.id)).word('finding', 'word'))
  })
})

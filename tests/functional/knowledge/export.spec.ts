import { once } from 'node:events'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import ArchiveConversation from '#models/archive_conversation'
import ArchiveMessage from '#models/archive_message'
import { FullScans } from '#tests/full_scans'
import { Conversations } from '#tests/functional/knowledge/conversations'
import { codeOf, twoCallers, type Caller } from '#tests/functional/knowledge/people'
import { statementsOf } from '#tests/statements'

const PATH = '/api/v1/knowledge/export'

test.group('Export of what is known', (group) => {
  let me: Caller
  let other: Caller
  let agent: Conversations

  group.tap((one) => one.timeout(60_000))
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
    agent = new Conversations()
    await me.visitor.send('PUT', '/api/v1/archive', { enabled: true, days: 30 })
  })

  const ingest = async () =>
    (await app.container.make('knowledge.archive_ingestion')).ingest(me.user.id, agent)

  const exporter = () => app.container.make('knowledge.export')

  /** Returns the texts of the exported messages. `each` runs before the next is read. */
  async function exported(each: (index: number) => Promise<unknown> = async () => {}) {
    const found: string[] = []
    for await (const line of (await exporter()).lines(me.user.id)) {
      await each(found.length)
      found.push(JSON.parse(line).text)
    }
    return found
  }

  test('reads conversations page by page', async ({ assert }) => {
    for (let at = 0; at < 250; at++) agent.say(`talk ${at}`, `hello ${at}`)
    await ingest()
    let found: string[] = []
    const statements = await statementsOf(async () => (found = await exported()))
    assert.sameMembers(
      found,
      Array.from({ length: 250 }, (_, at) => `hello ${at}`)
    )
    const ofConversations = statements.filter((sql) => /from .archive_conversations/.test(sql))
    assert.isAtLeast(ofConversations.length, 3)
    assert.isEmpty(ofConversations.filter((sql) => !sql.includes('limit')))
  })

  test('leaves no message out while another is deleted, and sorts none', async ({ assert }) => {
    const said = ['a', 'b', 'c', 'd'].flatMap((talk) => {
      const texts = Array.from({ length: 250 }, (_, at) => `message ${at} of ${talk}`)
      agent.say(talk, ...texts)
      return texts
    })
    await ingest()
    const { id } = await ArchiveConversation.ownedBy(me.user.id).orderBy('id').firstOrFail()
    let first: ArchiveMessage | undefined
    let found: string[] = []
    const scans = await FullScans.of(['archive_messages'], async () => {
      found = await exported(async (index) => {
        if (index !== 50) return
        first = await ArchiveMessage.ownedBy(me.user.id)
          .where('conversation_id', id)
          .orderBy('said_at')
          .orderBy('id')
          .firstOrFail()
        await db.from('archive_messages').where('id', first.id).delete()
      })
    })
    assert.isDefined(first)
    assert.sameMembers(found, said)
    assert.isAtLeast(scans.queries, 3)
    const paged = scans.found.filter((plan) => plan.includes('conversation_id'))
    assert.equal(paged.join('\n'), '')
  })

  test('leaves no entry out while another is changed or deleted', async ({ assert }) => {
    const memories = await app.container.make('knowledge.memories')
    const keys = Array.from({ length: 250 }, (_, at) => `key ${at}`)
    const put = (key: string) => memories.put(me.user.id, { key }, { value: 1 })
    for (const key of keys) await put(key)
    const found: string[] = []
    for await (const line of (await exporter()).lines(me.user.id)) {
      found.push(JSON.parse(line).key)
      if (found.length !== 50) continue
      const later = keys.filter((key) => !found.includes(key))
      await put(later[0])
      await memories.delete(me.user.id, { key: found[0] })
    }
    assert.sameMembers(found, keys)
  })

  test('goes on once at a time for each owner', async ({ assert }) => {
    const stream = (await exporter()).stream(me.user.id)
    const refused = await me.visitor.get(PATH)
    assert.deepEqual([refused.status, codeOf(refused)], [429, 'E_EXPORT_UNDER_WAY'])
    assert.equal((await other.visitor.get(PATH)).status, 200)
    stream.destroy()
    await once(stream, 'close')
    assert.equal((await me.visitor.get(PATH)).status, 200)
    assert.equal((await me.visitor.get(PATH)).status, 200)
  })
})

import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import type { ConversationSource } from '#knowledge/archive/archive_ingestion'
import ArchiveMessage from '#models/archive_message'
import settings from '#settings/services/main'
import { Conversations } from '#tests/functional/knowledge/conversations'
import { codeOf, twoCallers, type Caller } from '#tests/functional/knowledge/people'
import { statementsOf } from '#tests/statements'

const PATH = '/api/v1/archive'
test.group('Archive', (group) => {
  let me: Caller
  let other: Caller
  let agent: Conversations

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
    agent = new Conversations()
  })

  const turnOn = (days = 30) => me.visitor.send('PUT', PATH, { enabled: true, days })

  async function ingest(userId = me.user.id): Promise<number | null> {
    return (await app.container.make('knowledge.archive_ingestion')).ingest(userId, agent)
  }

  async function textsFor(query: string, { visitor } = me): Promise<string[]> {
    const { body } = await visitor.get(`${PATH}/search?query=${encodeURIComponent(query)}`)
    return body.data.map(({ text }: { text: string }) => text)
  }

  const kept = async () => (await ArchiveMessage.ownedBy(me.user.id)).length

  test('is off until its owner turns it on', async ({ assert }) => {
    assert.deepEqual((await me.visitor.get(PATH)).body.data, { enabled: false, days: 90 })
    agent.say('a', 'Do you know the harbour?', 'Yes.')
    assert.isNull(await ingest())
    assert.equal(await kept(), 0)

    assert.deepEqual((await turnOn()).body.data, { enabled: true, days: 30 })
    assert.deepEqual((await me.visitor.get(PATH)).body.data, { enabled: true, days: 30 })
    assert.equal(await ingest(), 2)
    assert.deepEqual((await other.visitor.get(PATH)).body.data, { enabled: false, days: 90 })
    assert.equal((await me.visitor.send('PUT', PATH, { days: 0 })).status, 422)
  })

  test('finds what was said, and tells where', async ({ assert }) => {
    await turnOn()
    agent.say('a', 'Do you know the harbour of Genoa?', 'The old harbour lies to the west.')
    agent.say('b', 'How tall is the tower?')
    await ingest()
    const { body } = await me.visitor.get(`${PATH}/search?query=HARBOUR%20genoa`)
    assert.lengthOf(body.data, 2)
    assert.deepEqual(body.meta, { total: 2, page: 1, limit: 10, totalPages: 1 })
    assert.containsSubset(body.data[0], {
      conversationId: 'a',
      title: 'About a',
      role: 'user',
      text: 'Do you know the harbour of Genoa?',
    })
    assert.deepEqual(await textsFor('harbour', other), [])
    assert.equal((await me.visitor.get(`${PATH}/search`)).status, 422)
  })

  test('takes nothing twice, and goes on where it was', async ({ assert }) => {
    await turnOn()
    agent.say('a', ...Array.from({ length: 65 }, (_, index) => `message ${index}`))
    assert.equal(await ingest(), 65)
    assert.equal(await ingest(), 0)
    agent.say('a', 'one more')
    assert.equal(await ingest(), 1)
    assert.equal(await kept(), 66)
    assert.equal((await db.from('search_documents').count('* as n').first()).n, 66)
  })

  test('leaves out what has no text, such as the steps of a run that has not ended', async ({
    assert,
  }) => {
    await turnOn()
    agent.say('a', 'Sail to Genoa', '')
    assert.equal(await ingest(), 1)
    agent.said.get('a')!.pop()
    agent.say('a', 'We have arrived')
    assert.equal(await ingest(), 1)
    assert.sameMembers(await textsFor('sail arrived'), ['Sail to Genoa', 'We have arrived'])
  })

  test('loses and doubles nothing when a reading breaks off', async ({ assert }) => {
    await turnOn()
    agent.say('a', ...Array.from({ length: 40 }, (_, index) => `first ${index}`))
    agent.say('b', ...Array.from({ length: 40 }, (_, index) => `second ${index}`))
    agent.reads = 3
    await assert.rejects(() => ingest(), 'the agent went away')
    assert.equal(await kept(), 40)
    agent.reads = Infinity
    await ingest()
    assert.equal(await kept(), 80)

    /** Simulates a crash between two transactions of the index. */
    agent.say('a', ...Array.from({ length: 60 }, (_, index) => `third ${index}`))
    const index = await app.container.make('knowledge.index')
    const add = index.add.bind(index)
    let left = 55
    index.add = async (...given) => {
      if (left-- <= 0) throw new Error('killed')
      return add(...given)
    }
    await assert.rejects(() => ingest(), 'killed')
    index.add = add
    assert.equal(await kept(), 130)
    await ingest()
    assert.equal(await kept(), 140)
    const texts = new Set(agent.said.get('a')!.map(({ text }) => text))
    assert.equal(texts.size, 100)
  })

  test('lists what it keeps, the latest first', async ({ assert }) => {
    await turnOn()
    agent.say('a', 'the harbour')
    agent.say('b', 'one', 'two', 'three')
    agent.said.get('a')![0].at = DateTime.utc().minus({ hours: 1 }).toJSDate()
    await ingest()
    const path = `${PATH}/conversations`
    const { body } = await me.visitor.get(path)
    assert.equal(body.meta.total, 2)
    assert.containsSubset(body.data, [
      { conversationId: 'b', title: 'About b', messages: 3 },
      { conversationId: 'a', title: 'About a', messages: 1 },
    ])
    assert.deepEqual((await other.visitor.get(path)).body.data, [])
    await me.visitor.delete(`${PATH}/${body.data[0].id}`)
    const after = await me.visitor.get(path)
    assert.deepEqual(
      after.body.data.map(({ conversationId }: any) => conversationId),
      ['a']
    )
  })

  test('forgets a conversation, and keeps what is said there later', async ({ assert }) => {
    await turnOn()
    agent.say('a', 'the harbour', 'the tower')
    await ingest()
    const { body } = await me.visitor.get(`${PATH}/search?query=harbour`)
    const path = `${PATH}/${body.data[0].id}`
    assert.equal((await other.visitor.delete(path)).status, 404)
    assert.equal((await me.visitor.delete(path)).status, 204)
    const again = await me.visitor.delete(path)
    assert.deepEqual([again.status, codeOf(again)], [404, 'E_ARCHIVE_NOT_FOUND'])
    assert.equal(await ingest(), 0, 'it does not come back from the agent')
    agent.say('a', 'the lighthouse')
    assert.equal(await ingest(), 1)
    assert.deepEqual(await textsFor('harbour tower lighthouse'), ['the lighthouse'])
  })

  test('brings nothing of it back when its last message was changed', async ({ assert }) => {
    await turnOn()
    const anHourAgo = Date.now() - 3_600_000
    agent.sayAt(anHourAgo, 'a', 'the harbour', 'the tower')
    await ingest()
    const change = (text: string) => Object.assign(agent.said.get('a')!.at(-1)!, { text })
    const forget = async () => {
      const { body } = await me.visitor.get(`${PATH}/conversations`)
      assert.equal((await me.visitor.delete(`${PATH}/${body.data[0].id}`)).status, 204)
    }
    await forget()
    change('the changed tower')
    assert.equal(await ingest(), 0)

    agent.sayAt(anHourAgo + 60_000, 'a', 'the lighthouse')
    assert.equal(await ingest(), 1)
    change('the changed lighthouse')
    assert.equal(await ingest(), 1, 'nor after later messages')
    const words = 'harbour tower lighthouse'
    assert.sameMembers(await textsFor(words), ['the lighthouse', 'the changed lighthouse'])

    await forget()
    agent.said.get('a')!.pop()
    assert.equal(await ingest(), 0)
    assert.equal(await kept(), 0)
  })

  test('brings nothing back of what is deleted while it is read', async ({ assert }) => {
    await turnOn()
    agent.say('a', 'the harbour', 'the tower')
    await ingest()
    agent.said.get('a')!.at(-1)!.text = 'the changed tower'
    const { body } = await me.visitor.get(`${PATH}/conversations`)
    const read = agent.read.bind(agent)
    agent.read = async (...given) => {
      await me.visitor.delete(`${PATH}/${body.data[0].id}`)
      return read(...given)
    }
    assert.equal(await ingest(), 0)
    assert.equal(await kept(), 0)
  })

  test('stores nothing more once it is off, also in a run', async ({ assert }) => {
    await turnOn()
    for (const id of ['a', 'b', 'c']) agent.say(id, `the harbour of ${id}`)
    const asked: string[] = []
    const read = agent.read.bind(agent)
    agent.read = async (id, ...given) => {
      if (asked.push(id) === 2) await me.visitor.send('PUT', PATH, { enabled: false })
      return read(id, ...given)
    }
    assert.equal(await ingest(), 1)
    assert.deepEqual(await textsFor('harbour'), ['the harbour of a'])
    assert.deepEqual(asked, ['a', 'b'])
  })

  test('keeps so many days, and so many megabytes', async ({ assert }) => {
    await turnOn(10)
    agent.say('a', 'recently said')
    agent.said.get('a')!.unshift({
      id: 'old',
      role: 'user',
      text: 'said long ago',
      at: DateTime.utc().minus({ days: 11 }).toJSDate(),
    })
    assert.equal(await ingest(), 1)
    const row = await ArchiveMessage.ownedBy(me.user.id).firstOrFail()
    await row.merge({ saidAt: DateTime.utc().minus({ days: 11 }) }).save()
    assert.deepEqual(await textsFor('said'), [])
    await ingest()
    assert.equal(await kept(), 0)

    await settings.set('limits.archiveMb', 1)
    agent.say('b', ...Array.from({ length: 15 }, (_, index) => `${index} `.padEnd(90_000, 'x ')))
    await ingest()
    assert.equal(await kept(), 11)
    assert.equal(await ingest(), 0, 'what was too much does not come back')
  }).timeout(60_000)

  /** Conversations without an end: one message of a million characters a page, and always another page. */
  function endless(conversations: number) {
    const reads: string[] = []
    const source: ConversationSource = {
      list: async () =>
        Array.from({ length: conversations }, (_, at) => {
          return { id: `c${at}`, title: null, updatedAt: new Date() }
        }),
      read: async (id) => {
        reads.push(id)
        const text = `${reads.length}`.padEnd(1_000_000, ' x')
        const message = { id: `m${reads.length}`, role: 'user' as const, text, at: new Date() }
        return { messages: [message], nextCursor: 'older' }
      },
    }
    return { source, reads }
  }

  const ingestion = () => app.container.make('knowledge.archive_ingestion')

  test('reads so much of a conversation, and so much in one run', async ({ assert }) => {
    await turnOn()
    const { source, reads } = endless(10)
    assert.isAtMost((await (await ingestion()).ingest(me.user.id, source))!, 30)
    assert.isAtMost(reads.filter((id) => id === 'c0').length, 9)
    assert.isAtMost(new Set(reads).size, 3)
  }).timeout(60_000)

  for (const [what, text] of [
    ['tiny messages', 'x'],
    ['messages without text', ' '],
  ]) {
    test(`reads no more of a conversation than that for masses of ${what}`, async ({ assert }) => {
      await turnOn()
      const index = await app.container.make('knowledge.index')
      const { add } = index
      /** They are read before the first is stored. */
      index.add = async () => {
        throw new Error('enough')
      }
      let reads = 0
      const source: ConversationSource = {
        list: async () => [{ id: 'c', title: null, updatedAt: new Date() }],
        read: async () => {
          reads++
          const message = { role: 'user' as const, text, at: new Date() }
          const messages = Array.from({ length: 5000 }, (_, at) => ({ ...message, id: `${at}` }))
          return { messages, nextCursor: 'older' }
        },
      }
      await (await ingestion()).ingest(me.user.id, source).catch(() => {})
      index.add = add
      assert.isAtMost(reads, 8)
    })
  }

  test('ends a run after so many bytes, whatever is in them', async ({ assert }) => {
    await turnOn()
    const read: string[] = []
    const source: ConversationSource = {
      list: async () => ['a', 'b', 'c'].map((id) => ({ id, title: null, updatedAt: new Date() })),
      read: async (id) => {
        read.push(id)
        return { messages: [], nextCursor: 'older', bytes: 16 * 1024 * 1024 }
      },
    }
    await (await ingestion()).ingest(me.user.id, source)
    assert.lengthOf(read, 32)
    assert.deepEqual([...new Set(read)], ['a'])
  })

  test('keeps the read positions of so many conversations, of deleted ones first', async ({
    assert,
  }) => {
    await turnOn()
    agent.say('kept', 'hello')
    await ingest()
    const rows = Array.from({ length: 10_050 }, (_, at) => {
      const time = new Date(Date.now() - at * 60_000)
      return {
        id: `c${at}`,
        user_id: me.user.id,
        external_mac: `${at}`.padStart(64, '0'),
        name: 'sealed',
        last_message_at: time,
        created_at: time,
        updated_at: time,
        forgotten_until: at === 10_049 ? time : null,
      }
    })
    for (let at = 0; at < rows.length; at += 50) {
      await db
        .insertQuery()
        .table('archive_conversations')
        .multiInsert(rows.slice(at, at + 50))
    }
    await ingest()
    const left = async (id: string) =>
      (await db.from('archive_conversations').where('id', id)).length
    const asked = ['c0', 'c9998', 'c9999', 'c10048', 'c10049']
    assert.deepEqual(await Promise.all(asked.map(left)), [1, 1, 0, 0, 1])
    assert.equal(await kept(), 1)
  }).timeout(60_000)

  test('prunes a few times in a run, however many conversations it has', async ({ assert }) => {
    await turnOn()
    for (let at = 0; at < 300; at++) agent.say(`talk ${at}`, 'hello')
    const statements = await statementsOf(async () => assert.equal(await ingest(), 300))
    const count = (what: RegExp) => statements.filter((sql) => what.test(sql)).length
    assert.isAtMost(count(/sum\(.bytes.\)/), 3)
    assert.isAtMost(count(/not exists/), 1)
  }).timeout(60_000)

  test('stops in the middle when Mosaic does', async ({ assert }) => {
    await turnOn()
    const { source, reads } = endless(1)
    const stopping = new AbortController()
    const { read } = source
    source.read = (...args) => {
      stopping.abort(new Error('stopping'))
      return read(...args)
    }
    const reading = (await ingestion()).ingest(me.user.id, source, stopping.signal)
    await assert.rejects(() => reading, 'stopping')
    assert.lengthOf(reads, 1)
    assert.equal(await kept(), 0)
  })

  test('indexes so many words of one message', async ({ assert }) => {
    await turnOn()
    const words = Array.from({ length: 15_000 }, (_, at) => at.toString(36).padStart(4, 'a'))
    agent.say('a', words.join(' '))
    assert.equal(await ingest(), 1)
    const [{ total }] = await db.from('search_words').count('* as total')
    assert.isAtMost(Number(total), 10_000)
    assert.lengthOf(await textsFor(words[0]), 1)
  }).timeout(60_000)
})

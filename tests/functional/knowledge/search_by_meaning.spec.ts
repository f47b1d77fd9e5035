import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import DataKey from '#models/data_key'
import Finding from '#models/finding'
import UsageDay from '#models/usage_day'
import { allowLoopback } from '#tests/allow_loopback'
import { EmbeddingService } from '#tests/doubles/embedding_service'
import { providerOf } from '#tests/functional/openclaw/agent'
import { codeOf, twoCallers, type Caller } from '#tests/functional/knowledge/people'

const PATH = '/api/v1/findings'
const MODEL = 'work/embed'

const FINDINGS = [
  ['Sleeping agents', 'They wake with the next message.'],
  ['Harbours of Liguria', 'Genoa is the largest of them.'],
  ['Restarting', 'A restarted gateway loses no conversation.'],
  ['Lighthouse', 'The lantern of Genoa guards the harbour.'],
  ['Invoices', 'They are paid on the first of the month.'],
]

test.group('Search by meaning', (group) => {
  let me: Caller
  let other: Caller
  let service: EmbeddingService

  group.setup(allowLoopback)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    service = await EmbeddingService.start(64)
    ;[me, other] = await twoCallers()
    await providerOf(me.user.id, { name: 'work', type: 'custom', baseUrl: service.url })
    return () => service.close()
  })

  const vectors = () => app.container.make('knowledge.vectors')

  const choose = (embeddingModel: string | null) =>
    me.visitor.send('PUT', '/api/v1/agent-config', { embeddingModel })

  /** Waits until every finding has its vector. */
  async function settle() {
    const of = await vectors()
    await of.settled()
    await of.catchUp(me.user.id)
    await of.settled()
  }

  async function save() {
    const ids = []
    for (const [title, body] of FINDINGS) {
      ids.push((await me.visitor.post(PATH, { title, body })).body.data.id)
    }
    await settle()
    return ids
  }

  async function found(query: string, { visitor } = me): Promise<string[]> {
    const { body } = await visitor.post(`${PATH}/search`, { query, limit: 3 })
    return body.data.map(({ title, foundBy }: any) => `${title}: ${foundBy}`)
  }

  const count = async (table: string) => Number((await db.from(table).count('* as n').first()).n)

  test('finds what no word finds, and tells how each was found', async ({ assert }) => {
    await save()
    assert.deepEqual(await found('sleeps restart'), [])
    assert.equal((await choose(MODEL)).status, 200)
    await settle()
    assert.deepEqual(await found('sleeps restart'), [
      'Restarting: meaning',
      'Sleeping agents: meaning',
      'Invoices: meaning',
    ])
    assert.deepEqual(await found('harbour lights'), [
      'Lighthouse: both',
      'Harbours of Liguria: meaning',
      'Restarting: meaning',
    ])
    assert.deepEqual(await found('sleeps restart', other), [])
  })

  test('compares for so many searches of one owner at once, and has others go by words', async ({
    assert,
    cleanup,
  }) => {
    await choose(MODEL)
    await save()
    const of = await vectors()
    const index = (of as unknown as { index: { nearest: (...given: any[]) => Promise<unknown> } })
      .index
    const nearest = index.nearest.bind(index)
    cleanup(() => void (index.nearest = nearest))
    const free = Promise.withResolvers<void>()
    let comparing = 0
    index.nearest = async (...given) => {
      comparing++
      await free.promise
      return nearest(...given)
    }
    const byWords: string[][] = []
    const enough = Promise.withResolvers<void>()
    const searches = Array.from({ length: 20 }, async () => {
      const titles = await found('harbour lights')
      if (byWords.push(titles) === 16) enough.resolve()
      return titles
    })
    await enough.promise
    for (const titles of byWords) assert.deepEqual(titles, ['Lighthouse: words'])
    free.resolve()
    const all = await Promise.all(searches)
    assert.equal(comparing, 4)
    assert.lengthOf(
      all.filter((titles) => titles.includes('Restarting: meaning')),
      4
    )
    assert.include(await found('harbour lights'), 'Restarting: meaning')
  })

  test('goes on after the data key was lost, without what it sealed', async ({ assert }) => {
    await choose(MODEL)
    const [first] = await save()
    await DataKey.query().where('owner', `user/${me.user.id}`).delete()
    await me.visitor.post(PATH, { title: 'Harbours of Spain', body: 'Barcelona has one.' })
    await settle()
    assert.deepEqual(await found('harbour'), ['Harbours of Spain: meaning'])
    assert.equal(await count('vector_slots'), 1)
    assert.equal((await me.visitor.delete(`${PATH}/${first}`)).status, 204)
  })

  test('stores vectors sealed, and forgets them with what they are of', async ({ assert }) => {
    await choose(MODEL)
    const [first, second, third] = await save()
    const [block] = await db.from('vector_blocks').select('vectors', 'count', 'dimensions')
    assert.match(block.vectors, /^own:v1:[a-z0-9]+:/)
    assert.deepEqual([Number(block.count), Number(block.dimensions)], [5, 64])

    await me.visitor.delete(`${PATH}/${first}`)
    await me.visitor.patch(`${PATH}/${second}`, { status: 'rejected' })
    await me.visitor.post(PATH, { title: 'No more', body: 'They changed.', supersedes: third })
    await settle()
    assert.equal(await count('vector_slots'), 3)
    const after = await db.from('vector_blocks').select('count').first()
    assert.equal(Number(after.count), 3)
    assert.notInclude((await found('sleeping restarting')).join(), 'Sleeping')

    await choose(null)
    await settle()
    await (await vectors()).modelChanged(me.user.id)
    assert.equal(await count('vector_blocks'), 0)
    assert.equal(await count('vector_slots'), 0)
    assert.deepEqual(await found('sleeps'), [])
  })

  test('makes a new vector of what was edited, and of nothing else', async ({ assert }) => {
    await choose(MODEL)
    const [first] = await save()
    const made = service.texts
    await me.visitor.patch(`${PATH}/${first}`, { confirmed: true })
    await settle()
    assert.equal(service.texts, made)
    await me.visitor.patch(`${PATH}/${first}`, { title: 'Hibernation' })
    await settle()
    assert.equal(service.texts, made + 1)
    assert.equal((await found('hibernating'))[0], 'Hibernation: meaning')
  })

  test('goes on by words while the model fails, and catches up after it', async ({ assert }) => {
    await choose(MODEL)
    service.status = 500
    await save()
    assert.deepEqual(await found('harbour'), ['Lighthouse: words'])
    assert.equal(await count('vector_slots'), 0)
    service.status = 200
    await (await vectors()).modelChanged(me.user.id)
    await settle()
    assert.equal((await found('harbour'))[0], 'Lighthouse: both')
  })

  test('fills blocks and starts the next', async ({ assert }) => {
    const cipher = await (await app.container.make('knowledge.keys')).get(me.user.id)
    const now = DateTime.utc().toFormat(db.connection().dialect.dateTimeFormat)
    const rows = Array.from({ length: 300 }, (_, index) => {
      const row = new Finding()
      row.sealWith(cipher, 'title', `Number ${index}`)
      row.sealWith(cipher, 'body', index === 280 ? 'wanderers' : 'x')
      const { id, title, body } = row
      const times = { created_at: now, updated_at: now }
      const plain = { user_id: me.user.id, author: 'person', status: 'current', bytes: 1 }
      return { ...plain, ...times, id, title, body, content_mac: `${index}` }
    })
    await db.table('findings').multiInsert(rows)
    await choose(MODEL)
    await settle()
    const blocks = await db.from('vector_blocks').orderBy('position').select('position', 'count')
    assert.deepEqual(
      blocks.map((block) => [Number(block.position), Number(block.count)]),
      [
        [1, 256],
        [2, 44],
      ]
    )
    assert.equal((await found('wandering'))[0], 'Number 280: meaning')
  })

  test('takes a model only once it has made a vector', async ({ assert }) => {
    for (const model of ['embed', 'gone/embed', 'work/']) {
      const refused = await choose(model)
      assert.deepEqual([refused.status, refused.body.errors[0].field], [422, 'embeddingModel'])
    }
    service.status = 404
    const refused = await choose(MODEL)
    assert.deepEqual([refused.status, codeOf(refused)], [422, 'E_VALIDATION_ERROR'])
    assert.match(refused.body.errors[0].message, /does not know the model/)
    const { body } = await me.visitor.get('/api/v1/agent-config')
    assert.isNull(body.data.embeddingModel)
  })

  test('follows its provider’s name, and ends with the provider', async ({ assert }) => {
    await choose(MODEL)
    await save()
    const made = service.texts
    const { body } = await me.visitor.get('/api/v1/providers')
    const path = `/api/v1/providers/${body.data[0].id}`
    const model = async () =>
      (await me.visitor.get('/api/v1/agent-config')).body.data.embeddingModel
    assert.equal((await me.visitor.patch(path, { name: 'home' })).status, 200)
    assert.equal(await model(), 'home/embed')
    await settle()
    assert.equal(service.texts, made)
    const inUse = await me.visitor.delete(path)
    assert.equal(inUse.status, 409)
    assert.include(JSON.stringify(inUse.body), 'the search in what you know')
  })

  test('counts the tokens that its owner pays for', async ({ assert }) => {
    await choose(MODEL)
    await save()
    await (await app.container.make('usage.meter')).flush()
    const day = await UsageDay.query().where('user_id', me.user.id).firstOrFail()
    assert.isAbove(Number(day.tokensIn), 20)
    assert.equal(day.tokensOut, 0)
  })
})

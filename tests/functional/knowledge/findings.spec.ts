import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import Finding from '#models/finding'
import settings from '#settings/services/main'
import { codeOf, twoCallers, type Caller } from '#tests/functional/knowledge/people'

const PATH = '/api/v1/findings'

const PORT = {
  title: 'Staging database',
  body: 'The staging database listens on port 5433 behind the office firewall.',
}

test.group('Findings', (group) => {
  let me: Caller
  let other: Caller

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
  })

  async function store(input: object = PORT, caller = me) {
    const { status, body } = await caller.visitor.post(PATH, input)
    if (status !== 201) throw new Error(JSON.stringify(body))
    return body.data
  }

  async function titlesFor(query: string, caller = me): Promise<string[]> {
    const { body } = await caller.visitor.post(`${PATH}/search`, { query })
    return body.data.map(({ title }: { title: string }) => title)
  }

  test('are stored, read back, changed and deleted', async ({ assert }) => {
    const made = await store({ ...PORT, source: 'the wiki' })
    assert.containsSubset(made, {
      ...PORT,
      source: 'the wiki',
      author: 'person',
      status: 'current',
      confirmedAt: null,
      supersedes: null,
    })
    const path = `${PATH}/${made.id}`
    const { createdAt, updatedAt, ...rest } = made
    assert.isString(updatedAt)
    assert.match(createdAt, /^\d{4}-\d\d-\d\dT.*Z$/)
    assert.containsSubset((await me.visitor.get(path)).body.data, rest)

    const changed = await me.visitor.patch(path, {
      body: 'It moved to port 6000.',
      confirmed: true,
    })
    assert.equal(changed.body.data.body, 'It moved to port 6000.')
    assert.equal(changed.body.data.source, 'the wiki')
    assert.isNotNull(changed.body.data.confirmedAt)
    assert.deepEqual(await titlesFor('6000'), ['Staging database'])
    assert.deepEqual(await titlesFor('5433'), [])

    assert.equal((await me.visitor.delete(path)).status, 204)
    assert.equal((await me.visitor.get(path)).status, 404)
    assert.deepEqual(await titlesFor('staging'), [])
    assert.lengthOf(await db.from('search_words').whereIn('document_id', documents(me)), 0)
  })

  const documents = ({ user }: Caller) =>
    db.from('search_documents').where('user_id', user.id).select('id')

  test('are listed by pages and by state, the newest first', async ({ assert }) => {
    for (const title of ['Apples', 'Pears', 'Plums']) await store({ title, body: `On ${title}` })
    const { body } = await me.visitor.get(`${PATH}?page=2&limit=2`)
    assert.deepEqual(body.meta, { total: 3, page: 2, limit: 2, totalPages: 2 })
    assert.lengthOf(body.data, 1)
    for (const past of [4, 999_999_999, 90_071_992_547_409]) {
      const empty = await me.visitor.get(`${PATH}?page=${past}`)
      assert.deepEqual(empty.body, {
        data: [],
        meta: { total: 3, page: past, limit: 50, totalPages: 1 },
      })
    }
    assert.equal((await me.visitor.get(`${PATH}?page=1e30`)).status, 422)
    assert.deepEqual((await me.visitor.get(`${PATH}?status=rejected`)).body.data, [])
    assert.deepEqual((await other.visitor.get(PATH)).body.data, [])
  })

  test('are found by their words, the best match first, whatever the accents', async ({
    assert,
  }) => {
    await store({ title: 'Café opening hours', body: 'The café opens at nine on weekdays.' })
    await store({ title: 'Coffee beans', body: 'Beans come from the roastery, not from the cafe.' })
    await store({ title: 'Printer', body: 'The printer is on the third floor.' })
    assert.deepEqual(await titlesFor('CAFE'), ['Café opening hours', 'Coffee beans'])
    assert.equal((await titlesFor('where is the PRINTER?'))[0], 'Printer')
    assert.deepEqual(await titlesFor('submarine'), [])

    const { body } = await me.visitor.post(`${PATH}/search`, { query: 'café', limit: 1 })
    assert.lengthOf(body.data, 1)
    assert.deepEqual(body.meta, { total: 1, page: 1, limit: 1, totalPages: 1 })
    assert.isAbove(body.data[0].score, 0)
    assert.equal(body.data[0].foundBy, 'words')
    assert.equal(body.data[0].author, 'person')
  })

  test('are counted with their words, so that a search need not', async ({ assert }) => {
    const sizes = () =>
      db.from('search_collections').where('user_id', me.user.id).select('documents', 'words')
    const { id } = await store({ title: 'One', body: 'two three' })
    await store({ title: 'Four', body: 'five six seven' })
    assert.deepEqual(numbers(await sizes()), [[2, 9]])
    await me.visitor.patch(`${PATH}/${id}`, { body: 'two' })
    assert.deepEqual(numbers(await sizes()), [[2, 8]])
    await me.visitor.delete(`${PATH}/${id}`)
    assert.deepEqual(numbers(await sizes()), [[1, 5]])
  })

  /** PostgreSQL returns large integers as text. */
  const numbers = (rows: object[]) => rows.map((row) => Object.values(row).map(Number))

  test('come in the same order on every database', async ({ assert }) => {
    const words = ['alpha', 'beta', 'gamma', 'delta', 'epsilon']
    for (let index = 0; index < 40; index++) {
      const body = words.filter((_, at) => (index * 7 + at * 3) % 5 < 3).join(' ')
      const input = { title: `Number ${index}`, body: `${body} ${'filler '.repeat(index % 4)}` }
      const { status } = await me.visitor.post(`${PATH}?force=true`, input)
      assert.equal(status, 201)
    }
    const { body } = await me.visitor.post(`${PATH}/search`, { query: 'alpha gamma', limit: 8 })
    assert.deepEqual(
      body.data.map(({ title, score }: any) => `${title}: ${score.toFixed(4)}`),
      ORDER
    )
  })

  test('that say nearly the same are asked about, and stored if one insists', async ({
    assert,
  }) => {
    const first = await store()
    const near = { title: 'The staging database', body: `${PORT.body.toUpperCase()}!` }
    const refused = await me.visitor.post(PATH, near)
    assert.equal(refused.status, 409)
    assert.equal(codeOf(refused), 'E_SIMILAR')
    assert.equal(refused.body.errors[0].similar.id, first.id)
    assert.isString(refused.body.errors[0].hint)
    assert.lengthOf(await Finding.ownedBy(me.user.id), 1)

    await store({ title: 'Staging web server', body: 'The web server of staging listens on 8080.' })
    assert.equal((await other.visitor.post(PATH, near)).status, 201, 'of another owner')
    assert.equal((await me.visitor.post(`${PATH}?force=true`, near)).status, 201)
    assert.lengthOf(await Finding.ownedBy(me.user.id), 3)
  })

  test('that are stored twice at the same time are asked about too', async ({ assert }) => {
    const answers = await Promise.all(Array.from({ length: 4 }, () => me.visitor.post(PATH, PORT)))
    const made = answers.filter(({ status }) => status === 201)
    assert.lengthOf(made, 1)
    assert.lengthOf(await Finding.ownedBy(me.user.id), 1)
  })

  test('keep both of two changes at once', async ({ assert }) => {
    const { id } = await store()
    const path = `${PATH}/${id}`
    await Promise.all([
      me.visitor.patch(path, { title: 'Changed title' }),
      me.visitor.patch(path, { body: 'Changed body' }),
    ])
    const { title, body } = (await me.visitor.get(path)).body.data
    assert.deepEqual([title, body], ['Changed title', 'Changed body'])
    assert.equal((await Finding.findOrFail(id)).bytes, Buffer.byteLength(title + body))
  })

  test('are superseded by what corrects them, and no longer found', async ({ assert }) => {
    const wrong = await store()
    const correction = { ...PORT, body: PORT.body.replace('5433', '5434'), supersedes: wrong.id }
    const right = await store(correction)
    assert.equal(right.supersedes, wrong.id)
    const { body } = await me.visitor.get(`${PATH}/${wrong.id}`)
    assert.equal(body.data.status, 'superseded')
    assert.equal(body.data.supersededBy, right.id)
    const search = await me.visitor.post(`${PATH}/search`, { query: 'staging port' })
    assert.deepEqual(
      search.body.data.map(({ id, supersedes }: any) => [id, supersedes]),
      [[right.id, wrong.id]]
    )

    const strange = await store({ title: 'Theirs', body: 'Nobody else reads it' }, other)
    const answer = await me.visitor.post(PATH, { ...correction, supersedes: strange.id })
    assert.equal(answer.status, 404)
  })

  test('that expired or were rejected are not found', async ({ assert }) => {
    const soon = await store({ ...PORT, expiresAt: '2199-01-01T00:00:00Z' })
    assert.deepEqual(await titlesFor('5433'), ['Staging database'])
    const row = await Finding.findOrFail(soon.id)
    await row.merge({ expiresAt: DateTime.utc().minus({ minutes: 1 }) }).save()
    assert.deepEqual(await titlesFor('5433'), [])

    await me.visitor.patch(`${PATH}/${soon.id}`, { expiresAt: null })
    assert.deepEqual(await titlesFor('5433'), ['Staging database'])
    await me.visitor.patch(`${PATH}/${soon.id}`, { status: 'rejected' })
    assert.deepEqual(await titlesFor('5433'), [])
    await me.visitor.patch(`${PATH}/${soon.id}`, { status: 'current' })
    assert.deepEqual(await titlesFor('5433'), ['Staging database'])
  })

  test('of someone else do not exist, and are never found', async ({ assert }) => {
    const theirs = await store(PORT, other)
    await store({ title: 'Mine', body: 'Something else altogether' })
    assert.deepEqual(await titlesFor('staging database port'), [])
    for (const answer of [
      await me.visitor.get(`${PATH}/${theirs.id}`),
      await me.visitor.patch(`${PATH}/${theirs.id}`, { title: 'mine' }),
      await me.visitor.delete(`${PATH}/${theirs.id}`),
    ]) {
      assert.equal(answer.status, 404)
    }
    assert.deepEqual(await titlesFor('staging', other), ['Staging database'])
  })

  test('are so many, and so large, as the installation allows', async ({ assert }) => {
    await settings.set('limits.knowledgeRows', 10)
    for (let index = 0; index < 10; index++) {
      await me.visitor.post(`${PATH}?force=true`, { title: `Number ${index}`, body: 'x' })
    }
    const refused = await me.visitor.post(PATH, PORT)
    assert.deepEqual([refused.status, codeOf(refused)], [409, 'E_TOO_MUCH_KNOWLEDGE'])
    assert.match(refused.body.errors[0].message, /10/)

    await settings.set('limits.knowledgeRows', 1000)
    await settings.set('limits.knowledgeMb', 1)
    const large = (index: number) => ({
      title: `Large ${index}`,
      body: `${index} `.repeat(20_000 / 3),
    })
    const answers = []
    for (let index = 100; index < 160 && answers.at(-1)?.status !== 413; index++) {
      const { title, body } = large(index)
      answers.push(
        await me.visitor.post(`${PATH}?force=true`, { title, body: body.slice(0, 19_999) })
      )
    }
    assert.equal(answers.at(-1)!.status, 413)
    assert.isAbove(answers.length, 40)
  })

  test('refuse what no finding is', async ({ assert }) => {
    for (const input of [{}, { title: 'x' }, { title: 'x', body: 'y', expiresAt: 'tomorrow' }]) {
      assert.equal((await me.visitor.post(PATH, input)).status, 422)
    }
    assert.equal((await me.visitor.post(`${PATH}/search`, { query: '' })).status, 422)
  })
})

/** The same on every database, because scores are whole millionths. */
const ORDER = [
  'Number 28: 1.1099',
  'Number 20: 1.1099',
  'Number 8: 1.1099',
  'Number 0: 1.1099',
  'Number 33: 1.0552',
  'Number 25: 1.0552',
  'Number 13: 1.0552',
  'Number 5: 1.0552',
]

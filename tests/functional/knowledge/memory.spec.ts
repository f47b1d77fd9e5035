import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import AgentMemory from '#models/agent_memory'
import { codeOf, twoCallers, type Caller } from '#tests/functional/knowledge/people'

const PATH = '/api/v1/agent/memory'

test.group('Memory of an agent', (group) => {
  let me: Caller
  let other: Caller

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
  })

  const put = (path: string, body: object, { visitor } = me) =>
    visitor.send('PUT', `${PATH}/${path}`, body)

  test('keeps values of any kind, and one for each key', async ({ assert }) => {
    const made = await put('language', { value: 'German' })
    assert.equal(made.status, 200)
    assert.containsSubset(made.body.data, {
      namespace: 'default',
      key: 'language',
      value: 'German',
      revision: 1,
      expiresAt: null,
    })
    const changed = await put('language', { value: { spoken: ['de', 'en'] } })
    assert.equal(changed.body.data.revision, 2)
    const read = await me.visitor.get(`${PATH}/language`)
    assert.deepEqual(read.body.data.value, { spoken: ['de', 'en'] })
    assert.lengthOf(await AgentMemory.ownedBy(me.user.id), 1)
    assert.equal((await put('language', {})).status, 422)
  })

  test('keeps a value as it was sent, empty texts and null too', async ({ assert }) => {
    for (const value of ['', null, 0, false, [], { a: '', b: [null, ''] }, ' spaces ']) {
      const { status, body } = await put('odd', { value })
      assert.deepEqual([status, body.data?.value], [200, value])
      assert.deepEqual((await me.visitor.get(`${PATH}/odd`)).body.data.value, value)
    }
    const deep = `{"value": ${'['.repeat(1000)}${']'.repeat(1000)}}`
    const refused = await me.visitor.send('PUT', `${PATH}/odd`, deep)
    assert.deepEqual([refused.status, refused.body.errors?.[0].field], [422, 'value'])
  })

  test('has keys with any characters, of 200 at most', async ({ assert }) => {
    for (const key of ['a/b', 'größe 1', '100%']) {
      const made = await put(encodeURIComponent(key), { value: key })
      assert.equal(made.body.data?.key, key)
    }
    const long = await put('k'.repeat(201), { value: 1 })
    assert.deepEqual([long.status, long.body.errors?.[0].field], [422, 'key'])
    assert.equal((await me.visitor.get(`${PATH}/${'k'.repeat(201)}`)).status, 404)
  })

  test('has namespaces', async ({ assert }) => {
    await put('name?namespace=work', { value: 'Mosaic' })
    await put('name', { value: 'Ada', namespace: 'home' })
    await put('name', { value: 'neither' })
    const work = await me.visitor.get(`${PATH}?namespace=work`)
    assert.deepEqual(
      work.body.data.map(({ namespace, value }: any) => [namespace, value]),
      [['work', 'Mosaic']]
    )
    assert.equal((await me.visitor.get(PATH)).body.meta.total, 3)
    assert.equal((await me.visitor.get(`${PATH}/name?namespace=home`)).body.data.value, 'Ada')
    assert.equal((await me.visitor.get(`${PATH}/name`)).body.data.value, 'neither')
    assert.deepEqual((await me.visitor.get(`${PATH}?namespace=none`)).body.data, [])
  })

  test('is written on condition of its revision', async ({ assert }) => {
    const none = await put('plan', { value: 1, revision: 3 })
    assert.deepEqual([none.status, codeOf(none)], [412, 'E_REVISION'])
    assert.equal((await put('plan', { value: 1, revision: 0 })).status, 200)
    assert.equal((await put('plan', { value: 2, revision: 0 })).status, 412)
    assert.equal((await put('plan', { value: 2, revision: 1 })).status, 200)

    const answers = await Promise.all([1, 2, 3].map((value) => put('plan', { value, revision: 2 })))
    assert.sameMembers(
      answers.map(({ status }) => status),
      [200, 412, 412]
    )
    assert.equal((await me.visitor.delete(`${PATH}/plan?revision=2`)).status, 412)
    assert.equal((await me.visitor.delete(`${PATH}/plan?revision=3`)).status, 204)
  })

  test('is deleted by the namespace and the revision of the query or the body', async ({
    assert,
  }) => {
    const forget = (body: object) => me.visitor.send('DELETE', `${PATH}/plan`, body)
    const namespace = 'work'
    await put('plan', { value: 'of the default' })
    await put('plan', { value: 1, namespace })
    await put('plan', { value: 2, namespace })

    const stale = await forget({ namespace, revision: 1 })
    assert.deepEqual([stale.status, codeOf(stale)], [412, 'E_REVISION'])
    assert.equal((await forget({ namespace, revision: 'x' })).status, 422)
    assert.equal((await forget({ namespace, revision: 2 })).status, 204)
    const left = await me.visitor.get(PATH)
    assert.deepEqual(
      left.body.data.map(({ value }: any) => value),
      ['of the default']
    )
  })

  test('an empty field of a body hides none of the query', async ({ assert }) => {
    const send = (method: string, query: string, body: object) =>
      me.visitor.send(method, `${PATH}/plan?namespace=work${query}`, body)
    await put('plan', { value: 'of the default' })
    for (const namespace of ['', null]) {
      assert.equal((await send('PUT', '', { value: 1, namespace })).status, 200)
      const stale = await send('DELETE', '&revision=7', { namespace, revision: namespace })
      assert.equal(codeOf(stale), 'E_REVISION')
      assert.equal((await send('DELETE', '&revision=1', { namespace })).status, 204)
      const left = await me.visitor.get(PATH)
      assert.deepEqual(
        left.body.data.map(({ value }: any) => value),
        ['of the default']
      )
    }
  })

  test('is written on condition of its entity tag', async ({ assert }) => {
    const made = await put('plan', { value: 1 })
    assert.equal(made.headers.get('etag'), '"1"')
    await put('plan', { value: 2 })
    assert.equal((await me.visitor.get(`${PATH}/plan`)).headers.get('etag'), '"2"')

    const write = (method: string, tag: string, key = 'plan') =>
      me.visitor.send(method, `${PATH}/${key}`, { value: 3 }, { 'if-match': tag })
    for (const tag of ['"1"', '"none"', '2', '"99999999999"']) {
      assert.equal((await write('PUT', tag)).status, 412, tag)
      assert.equal((await write('DELETE', tag)).status, 412, tag)
    }
    assert.equal((await write('PUT', '"1"', 'missing')).status, 412)
    const written = await write('PUT', 'W/"2"')
    assert.deepEqual([written.status, written.headers.get('etag')], [200, '"3"'])
    assert.equal((await write('PUT', '"3", "4"')).status, 412)
    assert.equal((await write('PUT', '*', 'missing')).status, 412)
    assert.equal((await write('PUT', ' * ')).headers.get('etag'), '"4"')
    assert.equal((await write('DELETE', '*')).status, 204)
  })

  test('forgets what it is told to, and what has expired', async ({ assert }) => {
    await put('a', { value: 1 })
    assert.equal((await me.visitor.delete(`${PATH}/a`)).status, 204)
    const gone = await me.visitor.get(`${PATH}/a`)
    assert.deepEqual([gone.status, codeOf(gone)], [404, 'E_MEMORY_NOT_FOUND'])
    assert.equal((await me.visitor.delete(`${PATH}/a`)).status, 404)

    await put('b', { value: 1, expiresAt: '2199-01-01T00:00:00Z' })
    const row = await AgentMemory.ownedBy(me.user.id).firstOrFail()
    await row.merge({ expiresAt: DateTime.utc().minus({ minutes: 1 }) }).save()
    assert.equal((await me.visitor.get(`${PATH}/b`)).status, 404)
    assert.deepEqual((await me.visitor.get(PATH)).body.data, [])
    const again = await put('b', { value: 2, revision: 0 })
    assert.deepEqual([again.status, again.body.data.revision], [200, 1])
  })

  test('of someone else does not exist', async ({ assert }) => {
    await put('secret', { value: 'theirs' }, other)
    assert.equal((await me.visitor.get(`${PATH}/secret`)).status, 404)
    await put('secret', { value: 'mine' })
    assert.equal((await me.visitor.delete(`${PATH}/secret`)).status, 204)
    assert.equal((await other.visitor.get(`${PATH}/secret`)).body.data.value, 'theirs')
  })
})

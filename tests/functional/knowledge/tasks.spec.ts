import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import Task from '#models/task'
import { codeOf, twoCallers, type Caller } from '#tests/functional/knowledge/people'

const PATH = '/api/v1/tasks'

test.group('Tasks', (group) => {
  let me: Caller
  let other: Caller

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    ;[me, other] = await twoCallers()
  })

  async function store(input: object, caller = me) {
    const { status, body } = await caller.visitor.post(PATH, input)
    if (status !== 201) throw new Error(JSON.stringify(body))
    return body.data
  }

  const titles = async (query = '') =>
    (await me.visitor.get(`${PATH}${query}`)).body.data.map(({ title }: any) => title)

  test('are stored, read back, changed and deleted', async ({ assert }) => {
    const made = await store({ title: 'Water the plants' })
    assert.containsSubset(made, {
      title: 'Water the plants',
      body: null,
      status: 'todo',
      priority: 0,
      dueAt: null,
      assignedUserId: null,
      assignedAgent: null,
      claimedUntil: null,
      result: null,
      author: 'person',
    })
    const path = `${PATH}/${made.id}`
    const changed = await me.visitor.patch(path, {
      body: 'Those in the hall',
      dueAt: '2030-05-01T12:00:00+02:00',
      assignedUserId: me.user.id,
      assignedAgent: `user/${me.user.id}`,
    })
    assert.containsSubset(changed.body.data, {
      title: 'Water the plants',
      body: 'Those in the hall',
      dueAt: '2030-05-01T10:00:00.000Z',
      assignedAgent: `user/${me.user.id}`,
    })
    const done = await me.visitor.patch(path, { status: 'done', result: 'All are wet.' })
    assert.equal(done.body.data.result, 'All are wet.')
    assert.equal(done.body.data.body, 'Those in the hall')
    assert.equal((await me.visitor.patch(path, { dueAt: null })).body.data.dueAt, null)
    assert.equal((await me.visitor.delete(path)).status, 204)
    assert.equal((await me.visitor.get(path)).status, 404)
  })

  test('come by priority, then by the day on which they are due', async ({ assert }) => {
    await store({ title: 'Whenever' })
    await store({ title: 'Late', dueAt: '2031-01-01T00:00:00Z' })
    await store({ title: 'Soon', dueAt: '2030-01-01T00:00:00Z' })
    await store({ title: 'Urgent', priority: 5 })
    await store({ title: 'Over', priority: 9, status: 'done' })
    assert.deepEqual(await titles(), ['Over', 'Urgent', 'Soon', 'Late', 'Whenever'])
    assert.deepEqual(await titles('?status=done'), ['Over'])
    assert.deepEqual(await titles('?limit=2&page=2'), ['Soon', 'Late'])
    assert.deepEqual(await titles(`?assignedAgent=user/${me.user.id}`), [])
  })

  test('are claimed by one of many, until the claim expires', async ({ assert }) => {
    const { id } = await store({ title: 'One at a time' })
    const claims = await Promise.all([1, 2, 3].map(() => me.visitor.post(`${PATH}/${id}/claim`)))
    const taken = claims.filter(({ status }) => status === 200)
    assert.lengthOf(taken, 1)
    assert.equal(taken[0].body.data.status, 'doing')
    assert.isAbove(Date.parse(taken[0].body.data.claimedUntil), Date.now())
    const refused = claims.find(({ status }) => status !== 200)!
    assert.deepEqual([refused.status, codeOf(refused)], [409, 'E_TASK_CLAIMED'])

    const row = await Task.findOrFail(id)
    await row.merge({ claimedUntil: DateTime.utc().minus({ minutes: 1 }) }).save()
    const again = await me.visitor.post(`${PATH}/${id}/claim`, { minutes: 5 })
    assert.equal(again.status, 200)

    const back = await me.visitor.patch(`${PATH}/${id}`, { status: 'todo' })
    assert.isNull(back.body.data.claimedUntil)
    assert.equal((await me.visitor.post(`${PATH}/${id}/claim`)).status, 200)
    await me.visitor.patch(`${PATH}/${id}`, { status: 'done' })
    assert.equal((await me.visitor.post(`${PATH}/${id}/claim`)).status, 409)
  })

  test('are for their owner and the owner’s agent alone', async ({ assert }) => {
    for (const input of [
      { assignedUserId: other.user.id },
      { assignedAgent: `user/${other.user.id}` },
      { assignedAgent: 'system/ops' },
    ]) {
      const answer = await me.visitor.post(PATH, { title: 'For another', ...input })
      assert.equal(answer.status, 422)
      assert.equal(answer.body.errors[0].field, Object.keys(input)[0])
    }
    assert.equal((await me.visitor.post(PATH, {})).status, 422)
    assert.equal((await me.visitor.post(PATH, { title: 'x', status: 'open' })).status, 422)
  })

  test('of someone else do not exist', async ({ assert }) => {
    const { id } = await store({ title: 'Theirs' }, other)
    assert.deepEqual(await titles(), [])
    for (const { status } of [
      await me.visitor.get(`${PATH}/${id}`),
      await me.visitor.patch(`${PATH}/${id}`, { title: 'mine' }),
      await me.visitor.post(`${PATH}/${id}/claim`),
      await me.visitor.delete(`${PATH}/${id}`),
    ]) {
      assert.equal(status, 404)
    }
    assert.equal((await other.visitor.get(`${PATH}/${id}`)).body.data.title, 'Theirs')
  })
})

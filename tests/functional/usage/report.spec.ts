import { test } from '@japa/runner'
import { DateTime } from 'luxon'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
import UsageDay from '#models/usage_day'
import settings from '#settings/services/main'
import { adminByToken } from '#tests/admin_session'

const PATH = '/api/v1/admin/usage?from=2026-11-01&to=2026-11-03'

test.group('What was used, for admins', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  const use = (userId: string, day: string, chats: number) =>
    UsageDay.create({
      userId,
      day: DateTime.fromISO(day),
      chats,
      wakes: 1,
      awakeSeconds: 600,
      tokensIn: 1000 * chats,
      tokensOut: 10 * chats,
    })

  test('is told by day, as sums', async ({ assert }) => {
    const { visitor } = await adminByToken()
    const users = await UserFactory.createMany(3)
    for (const [index, { id }] of users.entries()) await use(id, '2026-11-02', index + 1)

    const { status, body } = await visitor.get(PATH)
    assert.equal(status, 200, JSON.stringify(body))
    const nothing = { chats: 0, wakes: 0, awakeSeconds: 0, tokensIn: 0, tokensOut: 0 }
    const sums = { chats: 6, wakes: 3, awakeSeconds: 1800, tokensIn: 6000, tokensOut: 60 }
    assert.deepEqual(body.data.days, [
      { day: '2026-11-01', withheld: false, activeUsers: 0, ...nothing },
      { day: '2026-11-02', withheld: false, activeUsers: 3, ...sums },
      { day: '2026-11-03', withheld: false, activeUsers: 0, ...nothing },
    ])
    assert.deepEqual(body.data.totals, { activeUsers: 3, ...sums })
    for (const { id } of users) assert.notInclude(JSON.stringify(body), id)
  })

  test('tells how much is known, of three people or more', async ({ assert }) => {
    const { visitor } = await adminByToken()
    const findings = await app.container.make('knowledge.findings')
    const told = async () => (await visitor.get(PATH)).body.data.knowledge
    const empty = { withheld: false, rows: 0, bytes: 0, messages: 0, messageBytes: 0 }
    assert.deepEqual(await told(), empty)
    for (const [index, { id }] of (await UserFactory.createMany(3)).entries()) {
      await findings.create(id, 'person', { title: 'four', body: 'canary' })
      if (index < 2) assert.deepEqual(await told(), { withheld: true })
    }
    assert.deepEqual(await told(), { ...empty, rows: 3, bytes: 30 })
  })

  test('withholds a day of fewer than three people, in its totals too', async ({ assert }) => {
    const { admin, visitor } = await adminByToken()
    const [one] = await UserFactory.createMany(1)
    await use(one.id, '2026-11-01', 77)
    await use(one.id, '2026-11-02', 77)
    await use(admin.id, '2026-11-02', 5)

    const { body } = await visitor.get(PATH)
    assert.deepEqual(body.data.days.slice(0, 2), [
      { day: '2026-11-01', withheld: true },
      { day: '2026-11-02', withheld: true },
    ])
    assert.equal(body.data.withheldDays, 2)
    assert.equal(body.data.totals.chats, 0)
    assert.notInclude(JSON.stringify(body), '77')
  })

  test('shows an admin a day that was theirs alone', async ({ assert }) => {
    const { admin, visitor } = await adminByToken()
    await use(admin.id, '2026-11-02', 5)
    const { body } = await visitor.get(PATH)
    assert.containsSubset(body.data.days[1], { activeUsers: 1, chats: 5 })

    const other = await adminByToken()
    const seen = await other.visitor.get(PATH)
    assert.deepEqual(seen.body.data.days[1], { day: '2026-11-02', withheld: true })
  })

  test('counts a person once in the totals, and what has just been', async ({ assert }) => {
    const { admin, visitor } = await adminByToken()
    for (const { id } of await UserFactory.createMany(3)) {
      await use(id, '2026-11-01', 1)
      await use(id, '2026-11-02', 1)
    }
    assert.include((await visitor.get(PATH)).body.data.totals, { activeUsers: 3, chats: 6 })

    const meter = await app.container.make('usage.meter')
    meter.chat(admin.id)
    const today = new Date().toISOString().slice(0, 10)
    const { body } = await visitor.get(`/api/v1/admin/usage?from=${today}`)
    assert.include(body.data.totals, { activeUsers: 1, chats: 1 })
  })

  test('takes times for the UTC days that they are in', async ({ assert }) => {
    const { visitor } = await adminByToken()
    const query = 'from=2026-11-01T00:00:00Z&to=2026-11-03T01:30:00%2B02:00'
    const { status, body } = await visitor.get(`/api/v1/admin/usage?${query}`)
    assert.deepEqual([status, body.data?.from, body.data?.to], [200, '2026-11-01', '2026-11-02'])
  })

  test('is of the last thirty days unless another period is asked for', async ({ assert }) => {
    const { visitor } = await adminByToken()
    const { body } = await visitor.get('/api/v1/admin/usage')
    assert.lengthOf(body.data.days, 30)
    assert.equal(body.data.to, new Date().toISOString().slice(0, 10))
  })

  test('refuses a period that is none', async ({ assert }) => {
    const { visitor } = await adminByToken()
    for (const query of [
      'from=soon',
      'from=2026-11-03&to=2026-11-01',
      'from=2020-01-01',
      'to=2026-02-30',
      'to=2026-02-30T00:00:00Z',
      'from=2026-11-01Tnoon',
      'to=9999-12-31T23:59:00-10:00',
    ]) {
      const { status, body } = await visitor.get(`/api/v1/admin/usage?${query}`)
      assert.equal(status, 422, query)
      assert.isNotEmpty(body.errors[0].message)
    }
  })

  test('is counted when people chat and agents call models', async ({ assert, cleanup }) => {
    const { id } = await UserFactory.create()
    const meter = await app.container.make('usage.meter')
    cleanup(() => meter.flush())
    meter.chat(id)
    await meter.flush()
    assert.equal((await UsageDay.ownedBy(id).firstOrFail()).chats, 1)
  })
})

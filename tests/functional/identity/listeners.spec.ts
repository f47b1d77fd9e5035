import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
import { Listeners } from '#identity/listeners'
import { Sessions } from '#identity/sessions'
import type User from '#models/user'
import settings from '#settings/services/main'
import { EventReader } from '#tests/doubles/event_reader'
import { Visitor } from '#tests/visitor'

const OWN = '/api/v1/agent/events'
const FLEET = '/api/v1/admin/fleet/events'
const ACCOUNT = { username: 'admin', password: 'correct horse battery' }

test.group('Who listens to events', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  let listeners: Listeners
  let laterMs = 0
  group.each.setup(async () => {
    laterMs = 0
    await settings.set('onboarding.completed', true)
    const present = await app.container.make('identity.listeners')
    const audit = await app.container.make('audit')
    const sessions = new Sessions(audit, settings, () => Date.now() + laterMs)
    /** The test checks itself, without a timer. */
    listeners = new Listeners(sessions, () => {})
    app.container.bindValue('identity.listeners', listeners)
    return () => app.container.bindValue('identity.listeners', present)
  })

  async function withToken(user: User) {
    const tokens = await app.container.make('identity.tokens')
    const token = await tokens.create(user, { name: 'test' })
    const headers = { authorization: `Bearer ${token.value!.release()}` }
    return { headers, revoke: () => tokens.delete(user, String(token.identifier)) }
  }

  async function withSession() {
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ACCOUNT)
    const visitor = new Visitor()
    await visitor.post('/api/v1/session', ACCOUNT)
    const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return { visitor, headers: { cookie } }
  }

  const opened: EventReader[] = []
  group.each.teardown(async () => {
    for (const events of opened.splice(0)) await events.close().catch(() => {})
  })

  async function listening(path: string, headers: Record<string, string>) {
    const events = await EventReader.open(path, headers)
    opened.push(events)
    await events.next()
    return events
  }

  async function isCutOff(events: EventReader): Promise<boolean> {
    const rest = await events.next().catch(() => null)
    return rest === null
  }

  test('hears nothing more once the session was revoked', async ({ assert }) => {
    const { visitor, headers } = await withSession()
    const events = await listening(OWN, headers)
    assert.equal(await listeners.look(), 0)
    await visitor.delete('/api/v1/session')
    assert.equal(await listeners.look(), 1)
    assert.isTrue(await isCutOff(events))
    assert.equal(await listeners.look(), 0, 'that one is gone')
  })

  for (const limit of ['sessions.idleHours', 'sessions.lifetimeHours'] as const) {
    test(`hears nothing more beyond ${limit}`, async ({ assert }) => {
      const { headers } = await withSession()
      const events = await listening(OWN, headers)
      await settings.set(limit, 1)
      assert.equal(await listeners.look(), 0)
      laterMs = 2 * 3_600_000
      assert.equal(await listeners.look(), 1)
      assert.isTrue(await isCutOff(events))
    })
  }

  test('hears nothing more once the token was revoked; others of the user go on', async ({
    assert,
  }) => {
    const user = await UserFactory.create()
    const [one, other] = [await withToken(user), await withToken(user)]
    const events = await listening(OWN, one.headers)
    await listening(OWN, other.headers)
    await one.revoke()
    assert.equal(await listeners.look(), 1)
    assert.isTrue(await isCutOff(events))
  })

  test('hears of the fleet no longer than they are an admin, and of nothing once deactivated', async ({
    assert,
  }) => {
    const user = await UserFactory.apply('admin').create()
    const { headers } = await withToken(user)
    const fleet = await listening(FLEET, headers)
    const own = await listening(OWN, headers)

    await user.merge({ role: 'member' }).save()
    assert.equal(await listeners.look(), 1)
    assert.isTrue(await isCutOff(fleet))
    await user.merge({ deactivatedAt: user.createdAt }).save()
    assert.equal(await listeners.look(), 1)
    assert.isTrue(await isCutOff(own))
  })
})

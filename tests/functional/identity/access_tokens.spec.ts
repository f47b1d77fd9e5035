import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import User from '#models/user'
import AuditEvent from '#models/audit_event'
import settings from '#settings/services/main'
import { AccessTokens, type TokenAbility } from '#identity/access_tokens'
import { UserFactory } from '#database/factories/user_factory'
import { adminSession } from '#tests/admin_session'
import { Visitor } from '#tests/visitor'

async function tokenOf(user: User, tokens?: AccessTokens, abilities?: TokenAbility[]) {
  const maker = tokens ?? (await app.container.make('identity.tokens'))
  const token = await maker.create(user, { name: 'test', abilities })
  return { id: String(token.identifier), value: token.value!.release() }
}

const withToken = (value: string) => new Visitor({ headers: { authorization: `Bearer ${value}` } })

test.group('Access tokens over the API', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('are shown once, listed without their value, and deleted', async ({ assert }) => {
    const { admin: user, visitor } = await adminSession()
    await tokenOf(user)

    const made = await visitor.post('/api/v1/tokens', { name: 'My script' })
    assert.equal(made.status, 201)
    assert.match(made.body.data.token, /^mos_/)
    assert.isNull(made.body.data.expiresAt)

    const listed = await visitor.get('/api/v1/tokens')
    assert.equal(listed.body.meta.total, 2)
    assert.notInclude(JSON.stringify(listed.body), made.body.data.token)
    assert.notProperty(listed.body.data[0], 'hash')

    const mine = withToken(made.body.data.token)
    assert.equal((await mine.get('/api/v1/me')).body.data.signedInWith, 'token')
    assert.equal((await visitor.delete(`/api/v1/tokens/${made.body.data.id}`)).status, 204)
    assert.equal((await mine.get('/api/v1/me')).status, 401)

    const actions = await AuditEvent.query()
      .where('actor_id', user.id)
      .where('action', 'like', 'token.%')
    assert.sameMembers(
      actions.map(({ action }) => action),
      ['token.created', 'token.deleted']
    )
  })

  test('expire when they are told to', async ({ assert }) => {
    const { visitor } = await adminSession()
    const inAnHour = DateTime.utc().plus({ hours: 1 })
    const made = await visitor.post('/api/v1/tokens', { name: 'x', expiresAt: inAnHour.toISO() })
    assert.equal(made.status, 201)
    const expires = DateTime.fromISO(made.body.data.expiresAt)
    assert.isBelow(Math.abs(expires.diff(inAnHour).as('seconds')), 2)

    for (const expiresAt of ['2020-01-01T00:00:00Z', 'soon']) {
      const refused = await visitor.post('/api/v1/tokens', { name: 'x', expiresAt })
      assert.equal(refused.status, 422)
      assert.equal(refused.body.errors[0].field, 'expiresAt')
    }
  })

  test('make no token: what is leaked does not last', async ({ assert }) => {
    const user = await UserFactory.create()
    const visitor = withToken((await tokenOf(user)).value)
    const { status, body } = await visitor.post('/api/v1/tokens', { name: 'lasting' })
    assert.equal(status, 403)
    assert.equal(body.errors[0].code, 'E_SESSION_NEEDED')
    assert.isNotEmpty(body.errors[0].hint)
    assert.lengthOf(await User.accessTokens.all(user), 1)
  })

  test('that may read read no conversation, live, archived or exported', async ({ assert }) => {
    const user = await UserFactory.create()
    const { value } = await tokenOf(user, undefined, ['read', 'manage'])
    const conversations = ['/conversations', '/archive/search?query=a', '/archive/conversations']
    for (const path of [...conversations, '/knowledge/export']) {
      const { status, body } = await withToken(value).get(`/api/v1${path}`)
      assert.equal(status, 403, path)
      assert.equal(body.errors[0].code, 'E_TOKEN_ABILITY')
    }
  })

  test('leave no session behind, and need no CSRF token', async ({ assert }) => {
    const visitor = withToken((await tokenOf(await UserFactory.create())).value)
    const before = await db.from('sessions').count('* as n').first()
    assert.equal((await visitor.delete('/api/v1/tokens/0')).status, 404)
    assert.deepEqual(await db.from('sessions').count('* as n').first(), before)
    assert.equal(visitor.cookies.size, 0)
  })

  test('a request with a token is never signed in by its cookie', async ({ assert }) => {
    const accounts = await app.container.make('identity.breakglass')
    const account = { username: 'admin', password: 'correct horse battery' }
    await accounts.create(account)
    const visitor = new Visitor()
    await visitor.post('/api/v1/session', account)
    assert.equal((await visitor.get('/api/v1/me')).status, 200)
    const both = await visitor.get('/api/v1/me', { authorization: 'Bearer mos_wrong.token' })
    assert.equal(both.status, 401)
  })

  test('what is no token of ours is 401, whatever it looks like', async ({ assert }) => {
    const strange = [
      'mos_',
      'mos_YWJj.YWJj',
      'mos_OTk5OTk5OTk5OTk5OTk.YWJj',
      'x',
      `mos_${'A'.repeat(5000)}`,
    ]
    for (const value of strange) {
      const { status, body } = await withToken(value).get('/api/v1/me')
      assert.equal(status, 401, value.slice(0, 40))
      assert.equal(body.errors[0].code, 'E_INVALID_TOKEN')
      const openAi = await withToken(value).get('/v1/models')
      assert.equal(openAi.status, 401)
      assert.containsSubset(openAi.body.error, {
        type: 'authentication_error',
        code: 'invalid_api_key',
      })
    }
  })
})

test.group('The check of access tokens', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('remembers a valid token for five seconds', async ({ assert }) => {
    let now = Date.now()
    const tokens = new AccessTokens(() => now)
    const user = await UserFactory.create()
    const { value } = await tokenOf(user, tokens)
    assert.equal(await tokens.verify(value), user.id)

    await db.from('auth_access_tokens').where('tokenable_id', user.id).delete()
    now += 4999
    assert.equal(await tokens.verify(value), user.id)
    now += 2
    assert.isNull(await tokens.verify(value))
  })

  test('forgets a token that is deleted here at once', async ({ assert }) => {
    const tokens = new AccessTokens()
    const user = await UserFactory.create()
    const { id, value } = await tokenOf(user, tokens)
    assert.equal(await tokens.verify(value), user.id)
    await tokens.delete(user, id)
    assert.isNull(await tokens.verify(value))
  })

  test('knows no token of a deactivated user, nor one of a user whose tokens were revoked', async ({
    assert,
  }) => {
    const tokens = new AccessTokens()
    const user = await UserFactory.create()
    const { value } = await tokenOf(user, tokens)
    await user.merge({ deactivatedAt: DateTime.utc() }).save()
    assert.isNull(await tokens.verify(value))

    await user.merge({ deactivatedAt: null }).save()
    assert.equal(await tokens.verify(value), user.id)
    assert.equal(await tokens.deleteAllOf(user), 1)
    assert.isNull(await tokens.verify(value))
  })

  test('writes when a token was last used, at most once a minute', async ({ assert }) => {
    const user = await UserFactory.create()
    const { id, value } = await tokenOf(user)
    const lastUsed = async () => {
      const row = await db.from('auth_access_tokens').where('id', id).firstOrFail()
      return row.last_used_at && new Date(row.last_used_at).getTime()
    }
    assert.isNull(await lastUsed())
    await new AccessTokens().verify(value)
    const first = await lastUsed()
    assert.isNotNull(first)
    await new AccessTokens().verify(value)
    assert.equal(await lastUsed(), first)

    const long = new Date(Date.now() - 61_000)
    await db.from('auth_access_tokens').where('id', id).update({ last_used_at: long })
    await new AccessTokens().verify(value)
    assert.isAbove((await lastUsed())!, long.getTime())
  })

  test('a wrong secret of a known id is refused and leaves no trace', async ({ assert }) => {
    const user = await UserFactory.create()
    const { id, value } = await tokenOf(user)
    const wrong = `${value.split('.')[0]}.${Buffer.from('wrong').toString('base64url')}`
    assert.isNull(await new AccessTokens().verify(wrong))
    const row = await db.from('auth_access_tokens').where('id', id).firstOrFail()
    assert.isNull(row.last_used_at)
  })
})

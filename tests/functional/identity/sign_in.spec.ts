import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import AuditEvent from '#models/audit_event'
import { Visitor } from '#tests/visitor'

const PASSWORD = 'correct horse battery'
const RIGHT = { username: 'admin', password: PASSWORD }
const WRONG = { username: 'admin', password: 'wrong wrong wrong' }

async function makeAdmin() {
  const accounts = await app.container.make('identity.breakglass')
  return accounts.create(RIGHT)
}

/** Counts are kept outside a test's transaction, so those of earlier tests must be cleared. */
const forgetFailures = async () => (await app.container.make('limiter.manager')).clear()

test.group('Signing in as JSON', (group) => {
  group.each.setup(forgetFailures)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('gives a session that names its user', async ({ assert }) => {
    const admin = await makeAdmin()
    const visitor = new Visitor()
    const response = await visitor.post('/api/v1/session', { ...RIGHT, username: 'Admin' })
    assert.equal(response.status, 201)
    assert.containsSubset(response.body.data, {
      id: admin.id,
      name: 'admin',
      role: 'admin',
      signedInWith: 'breakglass',
    })

    assert.lengthOf(await db.from('sessions').where('user_id', admin.id), 1)
    await admin.refresh()
    assert.isNotNull(admin.lastSignInAt)
    assert.exists(await AuditEvent.findBy({ action: 'session.started', actorId: admin.id }))

    const me = await visitor.get('/api/v1/me')
    assert.equal(me.status, 200)
    assert.containsSubset(me.body.data, { id: admin.id, signedInWith: 'breakglass' })
  })

  test('changes the session id, so that one planted before is worth nothing', async ({
    assert,
  }) => {
    await makeAdmin()
    const visitor = new Visitor()
    await visitor.get('/api/v1/me')
    const before = visitor.cookies.get('mosaic_session')
    await visitor.post('/api/v1/session', RIGHT)
    assert.isDefined(before)
    assert.notEqual(visitor.cookies.get('mosaic_session'), before)
  })

  test('refuses a wrong password and an unknown name with the same answer', async ({ assert }) => {
    await makeAdmin()
    const wrong = await new Visitor().post('/api/v1/session', WRONG)
    const unknown = await new Visitor().post('/api/v1/session', { ...RIGHT, username: 'nobody' })
    assert.equal(wrong.status, 401)
    assert.equal(wrong.body.errors[0].code, 'E_INVALID_CREDENTIALS')
    assert.equal(unknown.status, 401)
    assert.deepEqual(wrong.body, unknown.body)
  })

  test('refuses a deactivated user, whose session ends too', async ({ assert }) => {
    const admin = await makeAdmin()
    const visitor = new Visitor()
    await visitor.post('/api/v1/session', RIGHT)
    await admin.merge({ deactivatedAt: DateTime.utc() }).save()

    assert.equal((await visitor.get('/api/v1/me')).status, 401)
    assert.equal((await new Visitor().post('/api/v1/session', RIGHT)).status, 401)
    await admin.merge({ deactivatedAt: null }).save()
    assert.equal((await visitor.get('/api/v1/me')).status, 401, 'the old session stays ended')
  })

  test('is slowed down after ten wrong passwords, and says for how long', async ({ assert }) => {
    await makeAdmin()
    for (let tries = 0; tries < 10; tries++) {
      assert.equal((await new Visitor().post('/api/v1/session', WRONG)).status, 401)
    }
    const refused = await new Visitor().post('/api/v1/session', WRONG)
    assert.equal(refused.status, 429)
    assert.equal(refused.body.errors[0].code, 'E_TOO_MANY_REQUESTS')
    const seconds = Number(refused.headers.get('retry-after'))
    assert.isTrue(seconds >= 1 && seconds <= 60, `${seconds} s`)
  })

  test('counts failures only', async ({ assert }) => {
    await makeAdmin()
    for (let tries = 0; tries < 25; tries++) {
      assert.equal((await new Visitor().post('/api/v1/session', RIGHT)).status, 201)
    }
  })

  test('takes JSON only, so that another site cannot post a form', async ({ assert }) => {
    await makeAdmin()
    const body = new URLSearchParams(RIGHT).toString()
    const response = await new Visitor().post('/api/v1/session', body, {
      'content-type': 'application/x-www-form-urlencoded',
    })
    assert.equal(response.status, 415)
  })

  test('malformed JSON is 400, in the shape of the API', async ({ assert }) => {
    const response = await new Visitor().post('/api/v1/session', '{"username": ')
    assert.equal(response.status, 400)
    assert.equal(response.body.errors[0].code, 'E_BAD_REQUEST')
    const text = await new Visitor().post('/api/v1/session', '"a text"')
    assert.equal(text.status, 400)
  })

  test('ends with DELETE, which needs the XSRF token', async ({ assert }) => {
    const admin = await makeAdmin()
    const careless = new Visitor({ sendXsrf: false })
    await careless.post('/api/v1/session', RIGHT)
    const refused = await careless.delete('/api/v1/session')
    assert.equal(refused.status, 403)
    assert.equal(refused.body.errors[0].code, 'E_BAD_CSRF_TOKEN')

    const visitor = new Visitor()
    await visitor.post('/api/v1/session', RIGHT)
    assert.equal((await visitor.delete('/api/v1/session')).status, 204)
    assert.equal((await visitor.get('/api/v1/me')).status, 401)
    assert.lengthOf(await db.from('sessions').where('user_id', admin.id), 1)
  })
})

test.group('Signing in on the page', (group) => {
  group.each.setup(forgetFailures)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  const inertia = { 'accept': 'text/html', 'x-inertia': 'true' }

  test('leads on to the chat, and signing out back to the login page', async ({ assert }) => {
    await makeAdmin()
    const visitor = new Visitor()
    await visitor.get('/api/v1/me')
    const signedIn = await visitor.post('/login', RIGHT, inertia)
    assert.equal(signedIn.status, 302)
    assert.equal(signedIn.headers.get('location'), '/chat')
    assert.equal((await visitor.get('/api/v1/me')).status, 200)

    const signedOut = await visitor.post('/logout', {}, inertia)
    assert.equal(signedOut.headers.get('location'), '/login')
    assert.equal((await visitor.get('/api/v1/me')).status, 401)
  })

  test('goes back to the form with the reason when refused', async ({ assert }) => {
    await makeAdmin()
    const visitor = new Visitor()
    await visitor.get('/api/v1/me')
    const refused = await visitor.post('/login', WRONG, { ...inertia, referer: '/login' })
    assert.equal(refused.status, 303)
    const page = await visitor.get('/login', { accept: 'text/html' })
    assert.include(page.body, 'The name or the password is wrong.')
  })
})

test.group('Cookies', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())

  test('are marked Secure when a listed proxy says the request came by https', async ({
    assert,
  }) => {
    const visitor = new Visitor()
    await settings.set('network.trustedProxies', ['127.0.0.1/32'])
    const plain = await visitor.get('/login')
    const secure = await visitor.get('/login', { 'x-forwarded-proto': 'https' })
    assert.lengthOf(plain.headers.getSetCookie(), 2)
    for (const cookie of plain.headers.getSetCookie()) assert.notMatch(cookie, /; Secure/i)
    assert.lengthOf(secure.headers.getSetCookie(), 2)
    for (const cookie of secure.headers.getSetCookie()) assert.match(cookie, /; Secure$/i)
  })

  test('and browsers are told to come back by https, over https alone', async ({ assert }) => {
    const visitor = new Visitor()
    await settings.set('network.trustedProxies', ['127.0.0.1/32'])
    const plain = await visitor.get('/api/v1/sign-in')
    const secure = await visitor.get('/api/v1/sign-in', { 'x-forwarded-proto': 'https' })
    assert.isNull(plain.headers.get('strict-transport-security'))
    assert.equal(secure.headers.get('strict-transport-security'), 'max-age=15552000')
    assert.equal(secure.headers.get('x-frame-options'), 'DENY')
  })
})

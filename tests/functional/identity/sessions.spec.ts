import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import { Sessions } from '#identity/sessions'
import { SessionRows } from '#identity/session_rows'
import type { SignIn } from '#identity/sign_in'
import { Visitor } from '#tests/visitor'

const ADMIN = { username: 'admin', password: 'correct horse battery' }
const HOUR_MS = 3_600_000

async function signedIn(agent = 'Test/1.0') {
  const visitor = new Visitor({ headers: { 'user-agent': agent } })
  const { status } = await visitor.post('/api/v1/session', ADMIN)
  if (status !== 201) throw new Error(`signing in answered ${status}`)
  return visitor
}

const isIn = async (visitor: Visitor) => (await visitor.get('/api/v1/me')).status === 200

test.group('Sessions', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ADMIN)
  })

  /** Advances time for sessions only. */
  async function later(ms: number) {
    const present = await app.container.make('identity.sessions')
    const audit = await app.container.make('audit')
    const then = new Sessions(audit, settings, () => Date.now() + ms)
    app.container.bindValue('identity.sessions', then)
    return () => app.container.bindValue('identity.sessions', present)
  }

  test('are proven anew where the clock was set back before the proof', async ({
    assert,
    cleanup,
  }) => {
    const desk = await signedIn('Desk/1.0')
    const make = () => desk.post('/api/v1/tokens', { name: 'laptop' })
    assert.equal((await make()).status, 201)
    cleanup(await later(-3_600_000))
    const { status, body } = await make()
    assert.deepEqual([status, body.errors[0].code], [403, 'E_CONFIRMATION_NEEDED'])
  })

  test('are listed with their browser and last use, and without what proves them', async ({
    assert,
  }) => {
    const desk = await signedIn('Desk/1.0')
    await signedIn('Phone/2.0')
    const { status, body } = await desk.get('/api/v1/sessions')
    assert.equal(status, 200)
    assert.equal(body.meta.total, 2)
    const current = body.data.filter(({ isCurrent }: { isCurrent: boolean }) => isCurrent)
    assert.lengthOf(current, 1)
    assert.containsSubset(current[0], {
      agent: 'Desk/1.0',
      method: 'breakglass',
      address: '127.0.0.1',
    })
    const cookie = decodeURIComponent(desk.cookies.get('mosaic_session')!)
    for (const { id } of body.data) assert.notInclude(cookie, id)
  })

  test('leave nothing in the browser that someone after them could go back to', async ({
    assert,
  }) => {
    const desk = await signedIn()
    for (const path of ['/settings/tokens', '/api/v1/me']) {
      const { headers } = await desk.get(path, { accept: 'text/html' })
      assert.equal(headers.get('cache-control'), 'no-store', path)
    }
  })

  test('end one by one, and all others at once', async ({ assert }) => {
    const [desk, phone, pad] = [await signedIn('Desk'), await signedIn('Phone'), await signedIn()]
    const { data } = (await desk.get('/api/v1/sessions')).body
    const { id } = data.find(({ agent }: { agent: string }) => agent === 'Phone')
    assert.equal((await desk.delete(`/api/v1/sessions/${id}`)).status, 204)
    assert.isFalse(await isIn(phone))
    assert.isTrue(await isIn(pad))
    assert.equal((await desk.delete('/api/v1/sessions')).status, 204)
    assert.isFalse(await isIn(pad))
    assert.isTrue(await isIn(desk))
    assert.equal((await desk.delete(`/api/v1/sessions/${id}`)).status, 404)
  })

  test('are over after a pause, and after their whole time, as the settings say', async ({
    assert,
    cleanup,
  }) => {
    await settings.set('sessions.idleHours', 2)
    await settings.set('sessions.lifetimeHours', 3)
    const idle = await signedIn()
    const busy = await signedIn()

    const restore = await later(1.5 * HOUR_MS)
    cleanup(restore)
    assert.isTrue(await isIn(busy))
    restore()
    cleanup(await later(2.5 * HOUR_MS))
    assert.isTrue(await isIn(busy), 'it was used an hour ago')
    assert.isFalse(await isIn(idle), 'it was not')
    restore()
    cleanup(await later(3.5 * HOUR_MS))
    assert.isFalse(await isIn(busy), 'its whole time has passed')
  })

  test('that was ended stays ended, whatever its browser had under way', async ({
    assert,
    cleanup,
  }) => {
    const [desk, phone] = [await signedIn('Desk'), await signedIn('Phone')]
    const present = await app.container.make('identity.signIn')
    const arrived = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    const slow = { confirm: () => (arrived.resolve(), answer.promise) }
    app.container.bindValue('identity.signIn', slow as unknown as SignIn)
    cleanup(() => app.container.bindValue('identity.signIn', present))

    const confirmed = phone.post('/api/v1/session/confirm', { password: ADMIN.password })
    await arrived.promise
    await desk.delete('/api/v1/sessions')
    answer.resolve()
    await confirmed

    assert.isFalse(await isIn(phone))
    assert.equal((await desk.get('/api/v1/sessions')).body.meta.total, 1)
    assert.lengthOf(await db.from('sessions').whereNotNull('user_id'), 1)
  })

  /** Holds back the next list of sessions until released. */
  async function heldList(elapsedMs: number) {
    const present = await app.container.make('identity.sessions')
    const audit = await app.container.make('audit')
    const arrived = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    class Slow extends Sessions {
      override async list(...call: Parameters<Sessions['list']>) {
        arrived.resolve()
        await answer.promise
        return super.list(...call)
      }
    }
    const slow = new Slow(audit, settings, () => Date.now() + elapsedMs)
    app.container.bindValue('identity.sessions', slow)
    return {
      arrived: arrived.promise,
      letGo: () => answer.resolve(),
      restore: () => app.container.bindValue('identity.sessions', present),
    }
  }

  test('keep a proof that was given while a long answer was under way', async ({
    assert,
    cleanup,
  }) => {
    const desk = await signedIn('Desk')
    const held = await heldList(20 * 60_000)
    cleanup(held.restore)
    const make = () => desk.post('/api/v1/tokens', { name: 'laptop' })
    assert.equal((await make()).status, 403, 'the proof of the sign-in is out of date')

    const long = desk.get('/api/v1/sessions')
    await held.arrived
    const { password } = ADMIN
    assert.equal((await desk.post('/api/v1/session/confirm', { password })).status, 204)
    held.letGo()
    assert.equal((await long).status, 200)
    assert.equal((await make()).status, 201)
  })

  test('are not exchanged in the browser for one that ended during a long answer', async ({
    assert,
    cleanup,
  }) => {
    const desk = await signedIn('Desk')
    const held = await heldList(2 * 60_000)
    cleanup(held.restore)
    const long = desk.get('/api/v1/sessions')
    await held.arrived
    await desk.delete('/api/v1/session')
    assert.equal((await desk.post('/api/v1/session', ADMIN)).status, 201)
    held.letGo()
    const { headers } = await long
    assert.deepEqual(headers.getSetCookie(), [])
    assert.isTrue(await isIn(desk))
    assert.equal((await desk.get('/api/v1/sessions')).body.meta.total, 1)
  })

  test('are not exchanged in the browser for one that had ended before a call came', async ({
    assert,
  }) => {
    const desk = await signedIn('Desk')
    const before = [...desk.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    await desk.delete('/api/v1/session')
    const late = await new Visitor().get('/api/v1/agent', { cookie: before })
    assert.equal(late.status, 401)
    assert.deepEqual(late.headers.getSetCookie(), [])
    /** A page renews the token of its forms. */
    const page = await new Visitor().get('/login', { cookie: before, accept: 'text/html' })
    assert.include(page.headers.getSetCookie().join(), 'XSRF-TOKEN=')
  })

  test('take writes of many requests at the same time', async ({ assert, cleanup }) => {
    const desk = await signedIn('Desk')
    cleanup(await later(2 * 60_000))
    const answers = await Promise.all(Array.from({ length: 12 }, () => desk.get('/api/v1/me')))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.isTrue(await isIn(desk))
  })

  test('are not made for visitors who leave nothing behind', async ({ assert }) => {
    const before = await db.from('sessions').count('* as n').first()
    const page = { accept: 'text/html' }
    for (const path of ['/', '/login', '/chat', '/settings/tokens', '/nowhere', '/api/v1/me']) {
      await new Visitor().get(path, page)
    }
    await new Visitor().get('/health/live')
    await new Visitor().get('/api/v1/sign-in')
    await new Visitor().post('/api/v1/session', { ...ADMIN, password: 'a wrong password' })
    assert.deepEqual(await db.from('sessions').count('* as n').first(), before)
  })

  test('check the CSRF token of a visitor who has none yet', async ({ assert }) => {
    const form = { 'x-inertia': 'true', 'accept': 'text/html' }
    const visitor = new Visitor()
    await visitor.get('/login', { accept: 'text/html' })
    assert.equal((await visitor.post('/login', ADMIN, form)).headers.get('location'), '/chat')
    assert.isTrue(await isIn(visitor))

    const other = new Visitor()
    await other.get('/login', { accept: 'text/html' })
    const token = { 'x-xsrf-token': other.cookies.get('XSRF-TOKEN')! }
    const forged = new Visitor({ sendXsrf: false })
    await forged.get('/login', { accept: 'text/html' })
    await forged.post('/login', ADMIN, { ...form, ...token })
    assert.isFalse(await isIn(forged), 'the token of another visitor proves nothing')

    const malformed = { 'x-xsrf-token': '%' }
    const stranger = await new Visitor().post('/api/v1/tasks', {}, malformed)
    assert.deepEqual([stranger.status, stranger.body.errors[0].code], [401, 'E_NOT_SIGNED_IN'])
    const careless = await visitor.post('/api/v1/tasks', {}, malformed)
    assert.deepEqual([careless.status, careless.body.errors[0].code], [403, 'E_BAD_CSRF_TOKEN'])
  })

  test('of visitors who have not signed in are kept up to a number', async ({ assert }) => {
    const desk = await signedIn('Desk')
    for (let visits = 0; visits < 5; visits++) {
      const visitor = new Visitor()
      await visitor.get('/auth/oidc/start')
    }
    const anonymous = async () => (await db.from('sessions').whereNull('user_id')).length
    assert.equal(await anonymous(), 5)
    await new SessionRows(HOUR_MS).sweep(2)
    assert.isAtMost(await anonymous(), 2)
    assert.isTrue(await isIn(desk))
  })
})

import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import AuditEvent from '#models/audit_event'
import BreakglassUser from '#models/breakglass_user'
import User from '#models/user'
import { Visitor } from '#tests/visitor'

const ACCOUNT = { username: 'admin', password: 'correct horse battery' }
const PATH = '/api/v1/onboarding/breakglass'

async function setupToken() {
  const onboarding = await app.container.make('onboarding')
  return onboarding.setupToken.value()
}

test.group('Claiming an installation', (group) => {
  group.each.setup(async () => {
    const restore = await testUtils.db().truncate()
    await settings.set('onboarding.completed', false)
    return restore
  })

  test('begins at the first step', async ({ assert }) => {
    const { status, body } = await new Visitor().get('/api/v1/onboarding')
    assert.equal(status, 200)
    assert.deepEqual(body, { data: { completed: false, step: 'breakglass' } })
  })

  test('makes the admin and signs them in', async ({ assert }) => {
    const visitor = new Visitor()
    const claimed = await visitor.post(PATH, { ...ACCOUNT, setupToken: await setupToken() })
    assert.equal(claimed.status, 201)
    assert.containsSubset(claimed.body.data, { name: 'admin', role: 'admin' })

    const me = await visitor.get('/api/v1/me')
    assert.equal(me.body.data.id, claimed.body.data.id)
    const state = await visitor.get('/api/v1/onboarding')
    assert.deepEqual(state.body.data, { completed: false, step: 'auth' })
  })

  test('has one winner of twenty who try at once', async ({ assert }) => {
    const token = await setupToken()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        new Visitor().post(PATH, { ...ACCOUNT, username: `admin${index}`, setupToken: token })
      )
    )
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [201, ...Array.from({ length: 19 }, () => 409)])
    assert.lengthOf(await User.all(), 1)
    assert.lengthOf(await BreakglassUser.all(), 1)
  })

  test('needs the setup token of this installation', async ({ assert }) => {
    for (const token of ['x', 'A'.repeat(43), '']) {
      const { status } = await new Visitor().post(PATH, { ...ACCOUNT, setupToken: token })
      assert.include([403, 422], status)
    }
    const wrong = await new Visitor().post(PATH, { ...ACCOUNT, setupToken: 'A'.repeat(43) })
    assert.equal(wrong.body.errors[0].code, 'E_SETUP_TOKEN')
    assert.lengthOf(await User.all(), 0)
  })

  test('wrong setup tokens go into the record, and no stranger fills it', async ({ assert }) => {
    const guess = { ...ACCOUNT, setupToken: 'A'.repeat(43) }
    for (let tries = 0; tries < 25; tries++) await new Visitor().post(PATH, guess)
    const events = await AuditEvent.query().where('action', 'onboarding.refused')
    assert.lengthOf(events, 20)
    assert.include(events[0].toJSON(), { actorId: null, address: '127.0.0.1' })
    assert.notInclude(JSON.stringify(events), guess.setupToken)
  })

  test('refuses passwords that are short, or longer than bcrypt reads', async ({ assert }) => {
    const token = await setupToken()
    for (const password of ['short', 'x'.repeat(73), 'ü'.repeat(37)]) {
      const answer = await new Visitor().post(PATH, { ...ACCOUNT, password, setupToken: token })
      assert.equal(answer.status, 422)
      assert.equal(answer.body.errors[0].field, 'password')
    }
    const most = { ...ACCOUNT, password: 'x'.repeat(72), setupToken: token }
    assert.equal((await new Visitor().post(PATH, most)).status, 201)
  })

  test('leaves it unclaimed when the account cannot be made', async ({ assert }) => {
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ACCOUNT)
    const token = await setupToken()
    const taken = await new Visitor().post(PATH, { ...ACCOUNT, setupToken: token })
    assert.equal(taken.status, 409)
    assert.equal(taken.body.errors[0].code, 'E_USERNAME_TAKEN')

    const other = { ...ACCOUNT, username: 'other', setupToken: token }
    assert.equal((await new Visitor().post(PATH, other)).status, 201)
  })

  test('tells the loser of two accounts of one name that it is taken', async ({ assert }) => {
    const accounts = await app.container.make('identity.breakglass')
    const made = await Promise.allSettled([accounts.create(ACCOUNT), accounts.create(ACCOUNT)])
    const lost = made.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
    assert.deepEqual(lost, ['E_USERNAME_TAKEN'])
  })

  test('the later steps are for the admin alone, with the XSRF token', async ({ assert }) => {
    const skip = { skip: true }
    assert.equal((await new Visitor().post('/api/v1/onboarding/auth', skip)).status, 401)

    const visitor = new Visitor()
    await visitor.get('/api/v1/onboarding')
    assert.equal((await visitor.post('/api/v1/onboarding/auth', skip)).status, 401)

    await visitor.post(PATH, { ...ACCOUNT, setupToken: await setupToken() })
    const state = await visitor.post('/api/v1/onboarding/auth', skip)
    assert.equal(state.status, 200)
    assert.deepEqual(state.body.data, { completed: false, step: 'provider' })
  })

  test('until it is completed every page leads to the setup', async ({ assert }) => {
    for (const path of ['/login', '/chat', '/admin']) {
      const { status, headers } = await new Visitor().get(path, { accept: 'text/html' })
      assert.equal(status, 302, path)
      assert.equal(headers.get('location'), '/onboarding')
    }
  })

  test('completed, everything but the state is gone', async ({ assert }) => {
    const visitor = new Visitor()
    await visitor.post(PATH, { ...ACCOUNT, setupToken: await setupToken() })
    const early = await visitor.post('/api/v1/onboarding/complete')
    assert.equal(early.status, 409)
    assert.equal(early.body.errors[0].code, 'E_ONBOARDING_INCOMPLETE')

    await settings.set('onboarding.steps', ['auth', 'provider', 'systemAgents'])
    const done = await visitor.post('/api/v1/onboarding/complete')
    assert.deepEqual(done.body.data, { completed: true, step: 'complete' })

    assert.equal((await visitor.get('/api/v1/onboarding')).body.data.completed, true)
    for (const path of ['/breakglass', '/auth', '/provider', '/system-agents', '/complete']) {
      assert.equal((await visitor.post(`/api/v1/onboarding${path}`)).status, 404, path)
    }
    const page = await visitor.get('/onboarding', { accept: 'text/html' })
    assert.equal(page.status, 404)
  })
})

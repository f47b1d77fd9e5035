import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import AuditEvent from '#models/audit_event'
import SignInService from '#models/sign_in_service'
import User from '#models/user'
import type { ServiceInput } from '#identity/services/setup'
import type { SignInRefusal } from '#identity/services/errors'
import { UserFactory } from '#database/factories/user_factory'
import { GITHUB, SocialService, type Person } from '#tests/doubles/social_service'
import { adminSession } from '#tests/admin_session'
import { Visitor } from '#tests/visitor'

const ADA = {
  id: 1815,
  login: 'ada',
  name: 'Ada Lovelace',
  email: null,
  emails: [{ email: 'Ada@Example.test', primary: true, verified: true }],
}

let github: SocialService
let admin: Visitor

async function setUp() {
  await settings.set('onboarding.completed', true)
  await settings.set('network.allowedRanges', ['127.0.0.0/8'])
  github = await SocialService.start(GITHUB)
  admin = (await adminSession()).visitor
  return () => github.close()
}

/** The limits are rows outside a test's transaction. */
async function forgetLimits() {
  const forget = async () => void (await db.from('rate_limits').delete())
  await forget()
  return forget
}

const store = (changes: Partial<ServiceInput> = {}, name = 'github') =>
  admin.send('PUT', `/api/v1/admin/auth/services/${name}`, {
    ...SocialService.CLIENT,
    address: github.url,
    signUp: 'anyone',
    isProof: false,
    isActive: true,
    ...changes,
  })

async function leave(visitor: Visitor, path = '/auth/github/start') {
  const sent = await visitor.get(path)
  return sent.headers.get('location') ?? ''
}

const callback = (visitor: Visitor, query: Record<string, string>, name = 'github') =>
  visitor.get(`/auth/${name}/callback?${new URLSearchParams(query)}`)

async function signInAs(person: Person, visitor = new Visitor(), path?: string) {
  const location = await leave(visitor, path)
  const arrived = await callback(visitor, github.as(person).visit(location))
  return { visitor, to: arrived.headers.get('location') }
}

/** Returns the sign-in page's error and the audit event. */
async function refusalOf(visitor: Visitor) {
  const { body } = await visitor.get('/api/v1/sign-in')
  const event = await AuditEvent.query()
    .where('action', 'session.refused')
    .orderBy('id', 'desc')
    .first()
  return { told: body.data.failure, ...(event?.details as { reason?: SignInRefusal }) }
}

test.group('Signing in with GitHub', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(setUp)

  test('is off until an admin sets it up, and the secret is sealed', async ({ assert }) => {
    const early = new Visitor()
    assert.equal(await leave(early), '/login')
    assert.equal((await refusalOf(early)).reason, 'not_configured')

    const stored = await store({ isActive: false })
    assert.equal(stored.status, 200, JSON.stringify(stored.body))
    assert.containsSubset(stored.body.data, {
      clientId: 'mosaic',
      clientSecret: { set: true },
      address: github.url,
      unchecked: ['signature', 'nonce', 'signedInAt'],
    })
    assert.match(stored.body.data.callbackUrl, /\/auth\/github\/callback$/)
    assert.notInclude(JSON.stringify(stored.body), SocialService.CLIENT.clientSecret)
    const row = await SignInService.findByOrFail('name', 'github')
    assert.match(row.clientSecret!, /^enc:/)
    const ways = () => new Visitor().get('/api/v1/sign-in')
    assert.deepEqual((await ways()).body.data.services, [])

    await store()
    assert.deepEqual((await ways()).body.data.services, [
      { name: 'GitHub', url: '/auth/github/start' },
    ])
    const event = await AuditEvent.query()
      .where('action', 'sign_in_service.changed')
      .orderBy('id', 'desc')
      .firstOrFail()
    assert.containsSubset(event.details, { service: 'github', isActive: true, signUp: 'anyone' })
  })

  test('makes the account of a new person, and finds it again by the number alone', async ({
    assert,
  }) => {
    await store()
    const { visitor, to } = await signInAs(ADA)
    assert.equal(to, '/chat')
    const me = await visitor.get('/api/v1/me')
    assert.containsSubset(me.body.data, {
      name: 'Ada Lovelace',
      email: 'ada@example.test',
      role: 'member',
      signedInWith: 'github',
    })
    const user = await User.findByOrFail('oidc_subject', '1815')
    assert.equal(user.oidcIssuer, github.url)
    assert.isNotNull(user.emailVerifiedAt)
    const created = await AuditEvent.findByOrFail({ action: 'user.created', actorId: user.id })
    assert.containsSubset(created.details, { by: 'github' })
    const [session] = (await visitor.get('/api/v1/sessions')).body.data
    assert.equal(session.method, 'github')

    const other = [{ email: 'king@example.test', primary: true, verified: true }]
    await signInAs({ ...ADA, login: 'countess', name: 'Ada King', emails: other })
    await user.refresh()
    assert.include(user.$attributes, { name: 'Ada King', email: 'king@example.test' })

    await signInAs({ ...ADA, id: 1816, emails: [] })
    assert.lengthOf(await User.query().whereNotNull('oidc_subject'), 2, 'a name is no identity')
  })

  test('asks for little, with PKCE and a state of its own each time', async ({ assert }) => {
    await store()
    const visitor = new Visitor()
    const [first, second] = [await leave(visitor), await leave(visitor)]
    const asked = new URL(first).searchParams
    assert.equal(asked.get('scope'), 'read:user user:email')
    assert.equal(asked.get('code_challenge_method'), 'S256')
    assert.match(asked.get('redirect_uri')!, /\/auth\/github\/callback$/)
    for (const name of ['state', 'code_challenge']) {
      assert.lengthOf(asked.getAll(name), 1)
      assert.isAbove(asked.get(name)!.length, 30)
      assert.notEqual(asked.get(name), new URL(second).searchParams.get(name))
    }
    for (const location of [first, second]) {
      const arrived = await callback(visitor, github.as(ADA).visit(location))
      assert.equal(arrived.headers.get('location'), '/chat', 'each of several tabs')
    }
  })

  test('lets in only who was invited, unless an admin lets in everyone', async ({ assert }) => {
    await store({ signUp: 'invited' })
    const stranger = await signInAs(ADA)
    assert.equal((await refusalOf(stranger.visitor)).reason, 'not_invited')
    assert.isNull(await User.findBy('oidc_subject', '1815'))

    const invitations = await app.container.make('identity.invitations')
    const by = { user: await UserFactory.apply('admin').create(), address: null }
    const invitation = { email: 'ada@example.test', role: 'member' as const }
    const { user, token } = await invitations.invite(invitation, by)
    const ignored = await signInAs(ADA)
    assert.equal((await refusalOf(ignored.visitor)).reason, 'not_invited', 'no match by address')
    const shown = await new Visitor().get(`/api/v1/invitations/${token}`)
    assert.lengthOf(shown.body.data.services, 1)
    const path = `/auth/github/start?invitation=${token}`
    const { visitor } = await signInAs(ADA, new Visitor(), path)
    assert.equal((await visitor.get('/api/v1/me')).body.data.id, user.id)
  })

  test('joins no account by its address, and asks no role of single sign-on', async ({
    assert,
  }) => {
    await settings.set('oidc.roleClaim', 'groups')
    await settings.set('oidc.memberValues', ['staff'])
    await store()
    const grace = await UserFactory.merge({ email: 'ada@example.test' }).create()
    const { visitor } = await signInAs(ADA)
    assert.equal((await refusalOf(visitor)).reason, 'email_taken')
    await grace.refresh()
    assert.isNull(grace.oidcSubject ?? null)
    const { to } = await signInAs({ ...ADA, emails: [] })
    assert.equal(to, '/chat')
  })

  test('comes in without an address where the service does not tell one', async ({ assert }) => {
    await store()
    for (const [id, status] of [
      [1, 403],
      [2, 404],
    ]) {
      github.failing.set('/api/v3/user/emails', status)
      const { visitor } = await signInAs({ ...ADA, id })
      assert.isNull((await visitor.get('/api/v1/me')).body.data.email)
    }
    github.failing.clear()
    const { visitor } = await signInAs({ ...ADA, id: 3, email: 'claimed@example.test', emails: [] })
    const { email } = (await visitor.get('/api/v1/me')).body.data
    assert.isNull(email, 'a profile does not say whether its address is verified')
  })

  test('proves nothing fresh, unless an admin takes it for proof', async ({ assert }) => {
    await store()
    const { visitor } = await signInAs(ADA)
    const refused = await visitor.post('/api/v1/tokens', { name: 'mine' })
    assert.equal(refused.body.errors[0].code, 'E_CONFIRMATION_NEEDED')
    await visitor.get('/auth/github/confirm?back=/settings/tokens')
    assert.isNull(await AuditEvent.findBy('action', 'session.confirmed'))
    assert.equal((await refusalOf(new Visitor())).reason, 'no_proof')

    await store({ isProof: true })
    const confirm = '/auth/github/confirm?back=/settings/tokens'
    await signInAs({ ...ADA, id: 7 }, visitor, confirm)
    assert.isNull(await AuditEvent.findBy('action', 'session.confirmed'), 'someone else')
    const { to } = await signInAs(ADA, visitor, confirm)
    assert.equal(to, '/settings/tokens')
    assert.equal((await visitor.post('/api/v1/tokens', { name: 'mine' })).status, 201)
  })

  test('is tried out by an admin, who stays who they are', async ({ assert }) => {
    await store()
    await settings.set('oidc.tested', 'of the provider')
    const { to } = await signInAs(ADA, admin, '/auth/github/test')
    assert.equal(to, '/admin/authentication')
    const { body } = await admin.get('/api/v1/admin/auth/services')
    const shown = body.data.find(({ name }: { name: string }) => name === 'github')
    assert.containsSubset(shown.lastTest, { ok: true, trial: { subject: '1815' } })
    const oidc = await admin.get('/api/v1/admin/auth/oidc')
    assert.isNull(oidc.body.data.lastTest)
    assert.equal(await settings.get('oidc.tested'), 'of the provider')
    assert.equal((await admin.get('/api/v1/me')).body.data.name, 'ada')
    assert.isNull(await User.findBy('oidc_subject', '1815'))
  })
})

test.group('Attacks on the sign-in with a service', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(setUp)

  test('a state of another browser, none, or a made-up one is refused', async ({ assert }) => {
    await store()
    const answer = github.as(ADA).visit(await leave(new Visitor()))
    const victim = new Visitor()
    await leave(victim)
    for (const state of [answer.state, '', 'made-up']) {
      await callback(victim, { ...answer, state })
      assert.equal((await refusalOf(victim)).reason, 'state')
    }
    assert.isNull(await User.findBy('oidc_subject', '1815'))
  })

  test('a code of another sign-in does not fit this one: PKCE', async ({ assert }) => {
    await store()
    const [mine, theirs] = [new Visitor(), new Visitor()]
    const stolen = github.as(ADA).visit(await leave(theirs))
    const own = github.visit(await leave(mine))
    await callback(mine, { ...own, code: stolen.code })
    assert.equal((await refusalOf(mine)).reason, 'code')
    await callback(theirs, stolen)
    assert.equal((await refusalOf(theirs)).reason, 'code', 'a code is used once')
  })

  test('the answer of one service is not taken at the callback of another', async ({ assert }) => {
    await store()
    for (const name of ['oidc', 'elsewhere']) {
      const visitor = new Visitor()
      const answer = github.as(ADA).visit(await leave(visitor))
      await callback(visitor, answer, name)
      assert.equal((await refusalOf(visitor)).reason, 'state')
    }
  })

  test('an answer that names nobody is refused', async ({ assert }) => {
    await store()
    for (const id of [undefined, null, '', {}, 1.5]) {
      const { visitor } = await signInAs({ ...ADA, id })
      assert.equal((await refusalOf(visitor)).reason, 'invalid', String(id))
    }
    github.failing.set('/api/v3/user', 503)
    const { visitor } = await signInAs(ADA)
    assert.equal((await refusalOf(visitor)).reason, 'unreachable')
  })

  test('who says no is told so, and changed settings end what began', async ({ assert }) => {
    await store()
    const visitor = new Visitor()
    const { state } = github.visit(await leave(visitor))
    await callback(visitor, { error: 'access_denied', state })
    assert.equal((await refusalOf(visitor)).reason, 'denied')

    const answer = github.as(ADA).visit(await leave(visitor))
    await store({ clientSecret: 'another' })
    await callback(visitor, answer)
    assert.equal((await refusalOf(visitor)).reason, 'settings_changed')
    const late = github.as(ADA).visit(await leave(visitor))
    await store({ isActive: false })
    await callback(visitor, late)
    assert.equal((await refusalOf(visitor)).reason, 'not_configured')
  })

  test('a private address is called only where that is allowed, at any time', async ({
    assert,
  }) => {
    await store()
    const visitor = new Visitor()
    const answer = github.as(ADA).visit(await leave(visitor))
    const before = github.received.length
    await settings.set('network.allowedRanges', [])
    await callback(visitor, answer)
    assert.equal((await refusalOf(visitor)).reason, 'unreachable')
    const refused = await store({ address: github.url })
    assert.equal(refused.status, 422)
    assert.equal(refused.body.errors[0].field, 'address')
    assert.lengthOf(github.received, before)
  })

  test('a secret does not go along to another server', async ({ assert, cleanup }) => {
    const { clientSecret } = SocialService.CLIENT
    const first = await store({ clientSecret: undefined })
    assert.equal(first.body.errors[0].code, 'E_SERVICE_SECRET_NEEDED')
    await store()
    const other = await SocialService.start(GITHUB)
    cleanup(() => other.close())
    const moved = await store({ address: other.url, clientSecret: undefined })
    assert.equal(moved.status, 422)
    assert.equal(moved.body.errors[0].code, 'E_SERVICE_SECRET_NEEDED')
    assert.equal((await store({ clientSecret: undefined })).status, 200)
    assert.equal((await store({ address: other.url, clientSecret })).status, 200)
  })

  test('what is no address of a server is refused at its field', async ({ assert }) => {
    for (const address of ['github', 'http://example.com', `${github.url}/path`, 'ftp://a.test']) {
      const { status, body } = await store({ address })
      assert.equal(status, 422, address)
      assert.equal(body.errors[0].field, 'address')
    }
    assert.equal((await store({}, 'elsewhere')).status, 404)
  })

  test('single sign-on as the only way in switches the others off', async ({ assert }) => {
    await store()
    const { visitor } = await signInAs(ADA)
    const enforcement = await app.container.make('identity.oidc.enforcement')
    await settings.set('oidc.issuerUrl', 'https://id.example.org')
    await settings.set('oidc.clientId', 'mosaic')
    await settings.set('oidc.only', true)
    const { ready } = await app.container.make('identity.oidc').then(async (oidc) => ({
      ready: await oidc.ready(),
    }))
    await enforcement.noteTest(ready!.fingerprint)

    const ways = (await new Visitor().get('/api/v1/sign-in')).body.data
    assert.deepEqual(ways.services, [])
    const late = new Visitor()
    assert.equal(await leave(late), '/login')
    assert.equal((await refusalOf(late)).reason, 'switched_off')
    assert.equal((await visitor.get('/api/v1/me')).status, 200, 'a session goes on')
    const { status } = await new Visitor().post('/api/v1/session', {
      username: 'ada',
      password: 'correct horse battery',
    })
    assert.equal(status, 201, 'the local admin always gets in')
  })
})

test.group('Two requests that set up a sign-in service at once', (group) => {
  /** No transaction around them: the row of one refuses the other's. */
  group.each.setup(() => testUtils.db().truncate())
  group.each.setup(setUp)

  test('both succeed, and make one row', async ({ assert }) => {
    const both = await Promise.all([store({ signUp: 'invited' }), store({ signUp: 'invited' })])
    assert.deepEqual(
      both.map(({ status }) => status),
      [200, 200]
    )
    assert.lengthOf(await SignInService.query().where('name', 'github'), 1)
  })
})

import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import AuditEvent from '#models/audit_event'
import User from '#models/user'
import type { SignInRefusal } from '#identity/services/errors'
import { UserFactory } from '#database/factories/user_factory'
import { RogueIssuer, type Roguery } from '#tests/doubles/rogue_issuer'
import { Visitor } from '#tests/visitor'

const ADA = { sub: 'ada', name: 'Ada Lovelace', email: 'Ada@Example.test', email_verified: true }
const ADMIN = { username: 'admin', password: 'correct horse battery' }

let issuer: RogueIssuer

async function setUp() {
  await settings.set('onboarding.completed', true)
  await settings.set('network.allowedRanges', ['127.0.0.0/8'])
  issuer = await RogueIssuer.start()
  await useIssuer(issuer)
  return () => issuer.close()
}

/** The limits are rows outside a test's transaction. */
async function forgetLimits() {
  const forget = async () => void (await db.from('rate_limits').delete())
  await forget()
  return forget
}

async function useIssuer({ url }: RogueIssuer) {
  await settings.set('oidc.issuerUrl', url)
  await settings.set('oidc.clientId', RogueIssuer.CLIENT.clientId)
  await settings.set('oidc.clientSecret', RogueIssuer.CLIENT.clientSecret)
}

/** Starts the sign-in and returns the redirect without following it. */
async function leave(visitor: Visitor, path = '/auth/oidc/start') {
  const sent = await visitor.get(path)
  const location = sent.headers.get('location') ?? ''
  return { status: sent.status, location }
}

const callback = (visitor: Visitor, query: Record<string, string>) =>
  visitor.get(`/auth/oidc/callback?${new URLSearchParams(query)}`)

async function signInAs(person: Record<string, unknown>, roguery?: Roguery, path?: string) {
  const visitor = new Visitor()
  issuer.as(person, roguery)
  const { location } = await leave(visitor, path)
  const arrived = await callback(visitor, issuer.visit(location))
  return { visitor, arrived }
}

/** Returns the login page's error and the audit event. */
async function refusalOf(visitor: Visitor) {
  const { body } = await visitor.get('/api/v1/sign-in')
  const event = await AuditEvent.query()
    .where('action', 'session.refused')
    .orderBy('id', 'desc')
    .first()
  return { told: body.data.failure, reason: event?.details?.reason as SignInRefusal | undefined }
}

async function adminVisitor() {
  const accounts = await app.container.make('identity.breakglass')
  await accounts.create(ADMIN)
  const visitor = new Visitor()
  await visitor.post('/api/v1/session', ADMIN)
  return visitor
}

/** An admin who invites, as an admin. */
async function inviter() {
  const by = { user: await UserFactory.apply('admin').create(), address: null }
  const invitations = await app.container.make('identity.invitations')
  const invite = (email: string) => invitations.invite({ email, role: 'admin' }, by)
  return { by, invite }
}

test.group('Signing in with the identity provider', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(setUp)

  for (const step of ['start', 'callback']) {
    test(`is begun and returned from 120 times a minute per address: ${step}`, async ({
      assert,
    }) => {
      await settings.set('network.trustedProxies', ['127.0.0.0/8', '::1/128'])
      const from = (address: string) =>
        new Visitor({ headers: { 'x-forwarded-for': address } }).get(`/auth/oidc/${step}`)
      const rows = async () => (await db.from('sessions')).length
      for (let at = 0; at < 120; at++) assert.equal((await from('203.0.113.1')).status, 302)
      const before = await rows()
      assert.equal((await from('203.0.113.1')).status, 429)
      assert.equal(await rows(), before)
      assert.equal((await from('203.0.113.2')).status, 302)
    })
  }

  test('makes the account of a new person, and finds it again by issuer and subject', async ({
    assert,
  }) => {
    const { visitor, arrived } = await signInAs(ADA)
    assert.equal(arrived.headers.get('location'), '/chat')
    const me = await visitor.get('/api/v1/me')
    assert.containsSubset(me.body.data, {
      name: 'Ada Lovelace',
      email: 'ada@example.test',
      role: 'member',
      signedInWith: 'oidc',
    })
    const user = await User.findByOrFail('email', 'ada@example.test')
    assert.containsSubset(user.$attributes, { oidcIssuer: issuer.url, oidcSubject: 'ada' })
    assert.isNotNull(user.emailVerifiedAt)
    assert.exists(await AuditEvent.findBy({ action: 'user.created', actorId: user.id }))

    await signInAs({ ...ADA, email: 'other@example.test', name: 'Ada King' })
    await user.refresh()
    assert.equal(user.name, 'Ada King')
    assert.equal(user.email, 'other@example.test')
    assert.lengthOf(await User.query().where('oidc_subject', 'ada'), 1)
  })

  test('asks for what it needs: PKCE, a state and a nonce of its own each time', async ({
    assert,
  }) => {
    const visitor = new Visitor()
    const [first, second] = [await leave(visitor), await leave(visitor)]
    const asked = new URL(first.location).searchParams
    assert.equal(asked.get('code_challenge_method'), 'S256')
    assert.equal(asked.get('response_type'), 'code')
    assert.match(asked.get('redirect_uri')!, /\/auth\/oidc\/callback$/)
    for (const name of ['state', 'nonce', 'code_challenge']) {
      assert.isAbove(asked.get(name)!.length, 30)
      assert.notEqual(asked.get(name), new URL(second.location).searchParams.get(name))
    }
  })

  test('finishes each of several that began at the same instant', async ({ assert }) => {
    for (const visitor of [new Visitor(), (await signInAs(ADA)).visitor]) {
      await visitor.get('/login', { accept: 'text/html' })
      const begun = await Promise.all([leave(visitor), leave(visitor), leave(visitor)])
      for (const { location } of begun) {
        const arrived = await callback(visitor, issuer.as(ADA).visit(location))
        assert.equal(arrived.headers.get('location'), '/chat')
      }
    }
  })

  test('leads to the page that was asked for', async ({ assert }) => {
    const visitor = new Visitor()
    await visitor.get('/settings/tokens', { accept: 'text/html' })
    const { location } = await leave(visitor)
    const arrived = await callback(visitor, issuer.as(ADA).visit(location))
    assert.equal(arrived.headers.get('location'), '/settings/tokens')
  })

  test('takes an invitation, whatever address the provider tells', async ({ assert }) => {
    await settings.set('oidc.signUp', 'invited')
    const stranger = await signInAs(ADA)
    assert.equal((await refusalOf(stranger.visitor)).reason, 'not_invited')

    const admin = await UserFactory.apply('admin').create()
    const invitations = await app.container.make('identity.invitations')
    const invitation = { email: 'invited@example.test', role: 'member' as const }
    const { user, token } = await invitations.invite(invitation, { user: admin, address: null })
    const path = `/auth/oidc/start?invitation=${token}`
    const { visitor } = await signInAs({ ...ADA, email: 'elsewhere@example.test' }, {}, path)
    assert.equal((await visitor.get('/api/v1/me')).body.data.id, user.id)

    const second = await signInAs({ ...ADA, sub: 'mallory' }, {}, path)
    assert.equal((await refusalOf(second.visitor)).reason, 'invitation')
  })

  test('gives the browser a new session id', async ({ assert }) => {
    const visitor = new Visitor()
    const { location } = await leave(visitor)
    const before = visitor.cookies.get('mosaic_session')
    await callback(visitor, issuer.as(ADA).visit(location))
    assert.notEqual(visitor.cookies.get('mosaic_session'), before)
  })

  test('ends at the provider too', async ({ assert }) => {
    const { visitor } = await signInAs(ADA)
    const left = await visitor.delete('/api/v1/session')
    const url = new URL(left.body.data.redirectTo)
    assert.equal(url.origin + url.pathname, `${issuer.url}/leave`)
    assert.match(url.searchParams.get('post_logout_redirect_uri')!, /\/login$/)
    assert.isAbove(url.searchParams.get('id_token_hint')!.split('.').length, 2)
    assert.equal((await visitor.get('/api/v1/me')).status, 401)
  })

  test('ends here even when the provider does not answer', async ({ assert }) => {
    const { visitor } = await signInAs(ADA)
    issuer.broken = true
    await settings.set('oidc.scopes', 'openid')
    assert.equal((await visitor.delete('/api/v1/session')).status, 204)
    assert.equal((await visitor.get('/api/v1/me')).status, 401)
  })

  test('uses changed settings at once, without a restart', async ({ assert, cleanup }) => {
    const other = await RogueIssuer.start()
    cleanup(() => other.close())
    const visitor = new Visitor()
    assert.isTrue((await leave(visitor)).location.startsWith(issuer.url))
    await useIssuer(other)
    assert.isTrue((await leave(visitor)).location.startsWith(other.url))
  })
})

test.group('Confirming at the identity provider', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(setUp)

  async function confirmAs(visitor: Visitor, person: Record<string, unknown>, authTime: number) {
    issuer.as(person, { claims: { auth_time: authTime } })
    const { location } = await leave(visitor, '/auth/oidc/confirm?back=/settings/tokens')
    return callback(visitor, issuer.visit(location))
  }
  const now = () => Math.floor(Date.now() / 1000)

  test('leads back to the page where it began', async ({ assert }) => {
    const { visitor } = await signInAs(ADA)
    const { headers } = await confirmAs(visitor, ADA, now())
    assert.equal(headers.get('location'), '/settings/tokens')
    await AuditEvent.findByOrFail('action', 'session.confirmed')
  })

  test('a sign-in for which the provider asked nothing is no fresh proof', async ({ assert }) => {
    for (const [ago, status] of [
      [3600, 403],
      [1, 201],
    ]) {
      const { visitor } = await signInAs(ADA, { claims: { auth_time: now() - ago } })
      const answer = await visitor.post('/api/v1/tokens', { name: `of ${ago} s ago` })
      assert.equal(answer.status, status)
    }
  })

  test('with a sign-in of long ago confirms nothing', async ({ assert }) => {
    const { visitor } = await signInAs(ADA)
    await confirmAs(visitor, ADA, now() - 3600)
    assert.isNull(await AuditEvent.findBy('action', 'session.confirmed'))
  })

  test('as someone else confirms nothing, and that page says so', async ({ assert }) => {
    const { visitor } = await signInAs(ADA)
    const { headers } = await confirmAs(visitor, { ...ADA, sub: 'eve' }, now())
    assert.equal(headers.get('location'), '/settings/tokens')
    assert.isNull(await AuditEvent.findBy('action', 'session.confirmed'))
    const { body } = await visitor.get('/settings/tokens', { 'x-inertia': 'true' })
    assert.match(body.props.flash.error, /^You confirmed as someone else\./)
  })
})

test.group('Attacks on the sign-in', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(setUp)

  const seconds = () => Math.floor(Date.now() / 1000)
  const ROGUERIES: [string, Roguery | (() => Roguery), SignInRefusal][] = [
    ['a wrong nonce', { claims: { nonce: 'of another sign-in' } }, 'nonce'],
    ['no nonce', { claims: { nonce: undefined } }, 'nonce'],
    ['a wrong issuer', { claims: { iss: 'https://elsewhere.example' } }, 'issuer'],
    ['a wrong audience', { claims: { aud: 'another-client' } }, 'audience'],
    [
      'an audience of several, made for another',
      { claims: { aud: ['mosaic', 'another'], azp: 'another' } },
      'audience',
    ],
    ['an expired token', () => ({ claims: { exp: seconds() - 120 } }), 'token_expired'],
    ['a token from the future', () => ({ claims: { nbf: seconds() + 600 } }), 'token_expired'],
    ['a signature of another key', { wrongKey: true }, 'signature'],
    ['no signature', { unsigned: true }, 'invalid'],
    ['the profile of someone else', { userinfoSubject: 'grace' }, 'invalid'],
  ]
  for (const [what, roguery, reason] of ROGUERIES) {
    test(`${what} is refused`, async ({ assert }) => {
      const chosen = typeof roguery === 'function' ? roguery() : roguery
      const { visitor, arrived } = await signInAs(ADA, chosen)
      assert.equal(arrived.headers.get('location'), '/login')
      const refusal = await refusalOf(visitor)
      assert.equal(refusal.reason, reason)
      assert.equal(refusal.told.reason, reason)
      assert.isNotEmpty(refusal.told.message && refusal.told.hint)
      assert.equal((await visitor.get('/api/v1/me')).status, 401)
      assert.lengthOf(await User.all(), 0)
    })
  }

  test('a state of another browser is refused', async ({ assert }) => {
    const { location } = await leave(new Visitor())
    const answer = issuer.as(ADA).visit(location)
    const victim = new Visitor()
    await leave(victim)
    const arrived = await callback(victim, answer)
    assert.equal(arrived.headers.get('location'), '/login')
    assert.equal((await refusalOf(victim)).reason, 'state')
    assert.lengthOf(await User.all(), 0)
  })

  test('an answer without a state, or with a made-up one, is refused', async ({ assert }) => {
    const visitor = new Visitor()
    const { location } = await leave(visitor)
    const { state, ...answer } = issuer.as(ADA).visit(location)
    for (const query of [answer, { ...answer, state: 'made up' }, { ...answer, state: '' }]) {
      await callback(visitor, query as Record<string, string>)
      assert.equal((await refusalOf(visitor)).reason, 'state')
    }
    assert.isString(state)
  })

  test('refusals of one address go into the record so often, and no stranger fills it', async ({
    assert,
  }) => {
    for (let tries = 0; tries < 25; tries++) await callback(new Visitor(), { state: 'made up' })
    assert.lengthOf(await AuditEvent.query().where('action', 'session.refused'), 20)
  })

  test('a code that was used is worth nothing, in this browser and in another', async ({
    assert,
  }) => {
    const visitor = new Visitor()
    const { location } = await leave(visitor)
    const answer = issuer.as(ADA).visit(location)
    await callback(visitor, answer)
    await visitor.delete('/api/v1/session')
    await callback(visitor, answer)
    assert.equal((await refusalOf(visitor)).reason, 'state')

    const thief = new Visitor()
    const own = issuer.visit((await leave(thief)).location)
    await callback(thief, { ...own, code: answer.code })
    assert.equal((await refusalOf(thief)).reason, 'code')
    assert.equal((await thief.get('/api/v1/me')).status, 401)
  })

  test('a code of another sign-in does not fit this one: PKCE', async ({ assert }) => {
    const [mine, theirs] = [new Visitor(), new Visitor()]
    const stolen = issuer.as(ADA).visit((await leave(theirs)).location)
    const own = issuer.visit((await leave(mine)).location)
    await callback(mine, { ...own, code: stolen.code })
    assert.equal((await refusalOf(mine)).reason, 'code')
  })

  test('providers that are mixed up are told apart', async ({ assert, cleanup }) => {
    const other = await RogueIssuer.start()
    cleanup(() => other.close())
    const visitor = new Visitor()
    const answer = issuer.as(ADA).visit((await leave(visitor)).location)
    await callback(visitor, { ...answer, iss: other.url })
    assert.equal((await refusalOf(visitor)).reason, 'issuer')

    const begun = issuer.visit((await leave(visitor)).location)
    await useIssuer(other)
    await callback(visitor, begun)
    assert.equal((await refusalOf(visitor)).reason, 'settings_changed')
    assert.isFalse(other.received.some(({ url }) => url.startsWith('/token')))
  })

  test('an address that someone else has here joins no accounts', async ({ assert }) => {
    const grace = await UserFactory.merge({ email: 'ada@example.test' }).create()
    const { visitor } = await signInAs(ADA)
    assert.equal((await refusalOf(visitor)).reason, 'email_taken')
    await grace.refresh()
    assert.isNull(grace.oidcSubject ?? null)
    assert.lengthOf(await User.all(), 1)
  })

  test('an address that someone only claims to have keeps nobody out who has it', async ({
    assert,
  }) => {
    await signInAs({ ...ADA, sub: 'eve', name: 'Eve', email_verified: false })
    const eve = await User.findByOrFail('oidc_subject', 'eve')
    assert.equal(eve.email, 'ada@example.test')
    assert.isNull(eve.emailVerifiedAt ?? null)

    await signInAs(ADA)
    const ada = await User.findByOrFail('oidc_subject', 'ada')
    assert.include(ada.$attributes, { email: 'ada@example.test', role: 'member' })
    assert.isNotNull(ada.emailVerifiedAt)
    await eve.refresh()
    assert.isNull(eve.email)

    await signInAs({ ...ADA, sub: 'eve', name: 'Eve', email_verified: true })
    await eve.refresh()
    assert.isNull(eve.email, 'what is verified is given up to nobody')
  })

  test('an address that someone else takes at the same moment keeps nobody out', async ({
    assert,
    cleanup,
  }) => {
    await signInAs({ ...ADA, email: 'former@example.test' })
    const take = async (user: User) => {
      if (user.$dirty.email !== 'ada@example.test') return
      await db.from('users').where('id', grace.id).update({ email: 'ada@example.test' })
    }
    const grace = await UserFactory.create()
    User.before('save', take)
    cleanup(() => void User.$hooks.remove('before:save', take))
    const { visitor } = await signInAs({ ...ADA, name: 'Ada King' })
    const me = await visitor.get('/api/v1/me')
    assert.containsSubset(me.body.data, { name: 'Ada King', email: 'former@example.test' })
  })

  test('an address that an invited person only claims to have keeps nobody out either', async ({
    assert,
  }) => {
    const admin = await UserFactory.apply('admin').create()
    const by = { user: admin, address: null }
    const invitations = await app.container.make('identity.invitations')
    const mallory = { email: 'mallory@example.test', role: 'member' as const }
    const { user, token } = await invitations.invite(mallory, by)
    const path = `/auth/oidc/start?invitation=${token}`
    const claims = { ...ADA, sub: 'mallory', email_verified: false }
    await signInAs(claims, {}, path)
    await signInAs(claims)
    await user.refresh()
    assert.equal(user.email, mallory.email)

    await signInAs(ADA)
    assert.equal((await User.findByOrFail('oidc_subject', 'ada')).email, 'ada@example.test')

    await signInAs({ ...claims, email: 'm@example.test', email_verified: true })
    await user.refresh()
    assert.equal(user.email, 'm@example.test')
  })

  test('an address that an account in use claims is invited only after an admin deactivated it', async ({
    assert,
  }) => {
    const claims = { ...ADA, sub: 'eve', email_verified: undefined }
    await signInAs(claims)
    const eve = await User.findByOrFail('oidc_subject', 'eve')
    const { by, invite } = await inviter()
    const refused = await invite('ada@example.test').catch((error) => error)
    assert.containsSubset(refused, { code: 'E_EMAIL_TAKEN', field: 'email' })
    assert.match(refused.help, /deactivate/)
    await eve.refresh()
    assert.equal(eve.email, 'ada@example.test')

    const administration = await app.container.make('identity.administration')
    await administration.deactivate(eve.id, by)
    const { user } = await invite('ada@example.test')
    await eve.refresh()
    assert.isNull(eve.email)
    const given = await AuditEvent.findByOrFail({ action: 'user.changed', subjectId: eve.id })
    assert.equal(given.actorId, by.user.id)
    assert.deepEqual(given.details, { email: null, by: 'invitation' })

    await administration.reactivate(eve.id, by)
    await signInAs(claims)
    assert.equal((await User.findByOrFail('email', 'ada@example.test')).id, user.id)
    await assert.rejects(() => invite('ada@example.test'), /address/)
  })

  test('a deactivated account that an admin invited, or whose address is verified, keeps it', async ({
    assert,
  }) => {
    const { by, invite } = await inviter()
    await signInAs(ADA)
    const path = `/auth/oidc/start?invitation=${(await invite('eve@example.test')).token}`
    await signInAs({ sub: 'eve', name: 'Eve' }, {}, path)
    const administration = await app.container.make('identity.administration')
    for (const sub of ['ada', 'eve']) {
      const { id, email } = await User.findByOrFail('oidc_subject', sub)
      await administration.deactivate(id, by)
      await assert.rejects(() => invite(email!), /address/)
      assert.equal((await User.findOrFail(id)).email, email)
    }
  })

  test('an account keeps its address where the one that takes it is not stored', async ({
    assert,
    cleanup,
  }) => {
    await signInAs({ ...ADA, sub: 'eve', email_verified: false })
    const eve = await User.findByOrFail('oidc_subject', 'eve')
    const { by, invite } = await inviter()
    const fail = () => {
      throw new Error('The disk is full')
    }
    User.before('create', fail)
    cleanup(() => void User.$hooks.remove('before:create', fail))
    await signInAs(ADA)
    assert.isNull(await User.findBy('oidc_subject', 'ada'))
    assert.equal((await User.findOrFail(eve.id)).email, 'ada@example.test')

    const administration = await app.container.make('identity.administration')
    await administration.deactivate(eve.id, by)
    await assert.rejects(() => invite('ada@example.test'), /disk/)
    assert.equal((await User.findOrFail(eve.id)).email, 'ada@example.test')
  })

  test('an invitation that someone opens who is here already ends, and their address is theirs', async ({
    assert,
  }) => {
    await signInAs({ ...ADA, email: undefined })
    const known = await User.findByOrFail('oidc_subject', 'ada')
    const { invite } = await inviter()
    const { user, token } = await invite('ada@example.test')
    const path = `/auth/oidc/start?invitation=${token}`
    const eve = { ...ADA, sub: 'eve', email: 'eve@example.test' }
    await signInAs(eve)
    await signInAs(eve, {}, path)
    assert.isNotNull(await User.find(user.id), 'it was not for them')

    const { visitor } = await signInAs({ ...ADA, email_verified: undefined }, {}, path)
    const me = await visitor.get('/api/v1/me')
    assert.containsSubset(me.body.data, { id: known.id, email: 'ada@example.test', role: 'member' })
    assert.isNull(await User.find(user.id))
    const ended = await AuditEvent.findByOrFail('action', 'invitation.revoked')
    assert.include(ended.$attributes, { actorId: known.id, subjectId: user.id })

    const again = await signInAs(ADA, {}, path)
    assert.equal((await again.visitor.get('/api/v1/me')).status, 200)
    assert.lengthOf(await AuditEvent.query().where('action', 'invitation.revoked'), 1)
  })

  test('an address is verified also where the provider says so in a text', async ({ assert }) => {
    await signInAs({ ...ADA, sub: 'eve', email_verified: 'false' })
    await signInAs({ ...ADA, email_verified: 'true' })
    const ada = await User.findByOrFail('oidc_subject', 'ada')
    assert.equal(ada.email, 'ada@example.test')
    assert.isNotNull(ada.emailVerifiedAt)
  })

  test('claims that are no name and no address are left out, and a subject that is none is refused', async ({
    assert,
  }) => {
    const name = 'Ada\u0000 \u202Eecalevol'
    const { visitor } = await signInAs({ ...ADA, name, email: 'ada <ada@example.test>' })
    const me = await visitor.get('/api/v1/me')
    assert.containsSubset(me.body.data, { name: 'Ada ecalevol', email: null })
    const odd = await signInAs({ ...ADA, sub: 'a\u0000da' })
    assert.equal((await refusalOf(odd.visitor)).reason, 'invalid')
  })

  test('the same subject of another provider is someone else', async ({ assert, cleanup }) => {
    await signInAs(ADA)
    const other = await RogueIssuer.start()
    cleanup(() => other.close())
    await useIssuer(other)
    const visitor = new Visitor()
    const { location } = await leave(visitor)
    await callback(visitor, other.as({ ...ADA, email: undefined }).visit(location))
    assert.lengthOf(await User.query().where('oidc_subject', 'ada'), 2)
  })

  test('who was deactivated stays out', async ({ assert }) => {
    const { visitor: first } = await signInAs(ADA)
    const user = await User.firstOrFail()
    const admin = await UserFactory.apply('admin').create()
    const administration = await app.container.make('identity.administration')
    await administration.deactivate(user.id, { user: admin, address: null })
    assert.equal((await first.get('/api/v1/me')).status, 401)
    const { visitor } = await signInAs(ADA)
    assert.equal((await refusalOf(visitor)).reason, 'deactivated')
  })

  test('who says no at the provider is told so', async ({ assert }) => {
    const visitor = new Visitor()
    const { state, iss } = issuer.visit((await leave(visitor)).location)
    await callback(visitor, { error: 'access_denied', state, iss })
    assert.equal((await refusalOf(visitor)).reason, 'denied')
  })

  test('a provider at a private address is not called where that is not allowed', async ({
    assert,
  }) => {
    await settings.set('network.allowedRanges', [])
    const { location } = await leave(new Visitor())
    assert.equal(location, '/login')
    assert.lengthOf(issuer.received, 0)
  })
})

test.group('Roles from a claim', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(setUp)
  group.each.setup(async () => {
    await settings.set('oidc.roleClaim', 'groups')
    await settings.set('oidc.adminValues', ['mosaic-admins'])
    await settings.set('oidc.memberValues', ['staff'])
  })

  const roleOf = async () => (await User.query().where('oidc_subject', 'ada').first())?.role

  test('follow the provider at each sign-in', async ({ assert }) => {
    await UserFactory.apply('admin').create()
    await signInAs({ ...ADA, groups: ['staff'] })
    assert.equal(await roleOf(), 'member')
    await signInAs({ ...ADA, groups: ['staff', 'mosaic-admins'] })
    assert.equal(await roleOf(), 'admin')
    await signInAs({ ...ADA, groups: ['staff'] })
    assert.equal(await roleOf(), 'member')
    assert.lengthOf(await AuditEvent.query().where('action', 'user.role_changed'), 2)
  })

  test('keep out who has none of them', async ({ assert }) => {
    const { visitor } = await signInAs({ ...ADA, groups: ['guests'] })
    assert.equal((await refusalOf(visitor)).reason, 'no_role')
    assert.isUndefined(await roleOf())
  })

  test('never take the last admin away', async ({ assert }) => {
    await signInAs({ ...ADA, groups: ['mosaic-admins'] })
    await signInAs({ ...ADA, groups: ['staff'] })
    assert.equal(await roleOf(), 'admin')
    assert.exists(await AuditEvent.findBy('action', 'user.role_kept'))
  })

  test('never keep the last admin out', async ({ assert }) => {
    await signInAs({ ...ADA, groups: ['mosaic-admins'] })
    const { visitor } = await signInAs({ ...ADA, groups: ['guests'] })
    assert.equal((await visitor.get('/api/v1/me')).body.data.role, 'admin')
    const kept = await AuditEvent.findByOrFail('action', 'user.role_kept')
    assert.equal(kept.details?.because, 'last_admin')

    await UserFactory.apply('admin').create()
    const another = await signInAs({ ...ADA, groups: ['guests'] })
    assert.equal((await refusalOf(another.visitor)).reason, 'no_role')
  })

  const OVERAGE = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: '' } } }

  test('stay as they were where the provider does not tell them, and the record says so', async ({
    assert,
  }) => {
    await UserFactory.apply('admin').create()
    await signInAs({ ...ADA, groups: ['mosaic-admins'] })
    for (const untold of [OVERAGE, {}]) {
      await signInAs({ ...ADA, ...untold })
      assert.equal(await roleOf(), 'admin')
    }
    const kept = await AuditEvent.query().where('action', 'user.role_kept').orderBy('id')
    assert.deepEqual(
      kept.map(({ details }) => details),
      ['overage', 'missing'].map((because) => ({ role: 'admin', by: 'oidc', because }))
    )
    await signInAs({ ...ADA, groups: [] })
    assert.equal(await roleOf(), 'admin', 'an empty list gives no role, so nobody came in')
    await settings.set('oidc.memberValues', [])
    await signInAs({ ...ADA, ...OVERAGE })
    assert.equal(await roleOf(), 'admin', 'not even where everyone else is a member')
    await signInAs({ ...ADA, groups: [] })
    assert.equal(await roleOf(), 'member', 'an empty list is told')
  })

  test('are not guessed for a new person whose groups were left out', async ({ assert }) => {
    const { visitor } = await signInAs({ ...ADA, ...OVERAGE })
    assert.equal((await refusalOf(visitor)).reason, 'role_not_told')
    assert.isUndefined(await roleOf())
  })

  test('can be tried out before they are saved', async ({ assert }) => {
    const visitor = await adminVisitor()
    const path = '/api/v1/admin/auth/oidc/role'
    const rules = { claim: 'realm.roles', adminValues: ['boss'], memberValues: ['staff'] }
    const tried = async (claims: object, changes: object = {}) =>
      (await visitor.post(path, { ...rules, ...changes, claims })).body.data
    assert.deepEqual(await tried({ realm: { roles: ['boss'] } }), {
      role: 'admin',
      because: 'admin_value',
      found: ['boss'],
    })
    assert.containsSubset(await tried({ 'realm.roles': 'staff' }), { role: 'member' })
    assert.containsSubset(await tried({ realm: 'boss' }), { role: null, because: 'no_match' })
    assert.containsSubset(await tried({}, { memberValues: [] }), { because: 'everyone' })
    assert.containsSubset(await tried({}, { claim: null }), { because: 'no_rule' })
    assert.equal(await settings.get('oidc.roleClaim'), 'groups')
  })
})

test.group('Single sign-on locks nobody out', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(setUp)

  async function testSignIn(visitor: Visitor) {
    const { location } = await leave(visitor, '/auth/oidc/test')
    return callback(visitor, issuer.as(ADA).visit(location))
  }

  const onlyWay = (visitor: Visitor) =>
    visitor.patch('/api/v1/admin/settings', { 'oidc.only': true })

  test('it is the only way in after one test sign-in, and not before', async ({ assert }) => {
    const visitor = await adminVisitor()
    const early = await onlyWay(visitor)
    assert.equal(early.status, 409)
    assert.equal(early.body.errors[0].code, 'E_OIDC_NOT_TESTED')

    const examined = await visitor.post('/api/v1/admin/auth/oidc/test')
    assert.containsSubset(examined.body.data, {
      issuer: issuer.url,
      keys: 1,
      url: '/auth/oidc/test',
    })
    const tried = await testSignIn(visitor)
    assert.equal(tried.headers.get('location'), '/admin/authentication')
    const shown = await visitor.get('/api/v1/admin/auth/oidc')
    assert.containsSubset(shown.body.data, { tested: true, inForce: false })
    assert.containsSubset(shown.body.data.lastTest, { ok: true, trial: { subject: 'ada' } })
    assert.equal((await visitor.get('/api/v1/me')).body.data.name, 'admin', 'nobody else came in')
    assert.isNull(await User.findBy('oidcSubject', 'ada'))

    assert.equal((await onlyWay(visitor)).status, 200)
    const ways = await new Visitor().get('/api/v1/sign-in')
    assert.equal(ways.body.data.passwords, 'breakglass')
  })

  test('a test proves nothing once its admin is none any more', async ({ assert }) => {
    const visitor = await adminVisitor()
    issuer.as(ADA)
    const { location } = await leave(visitor, '/auth/oidc/test')
    await User.query().update({ role: 'member' })
    assert.equal((await callback(visitor, issuer.visit(location))).status, 403)
    assert.isNull(await settings.get('oidc.tested'))
  })

  test('a test that fails says why, and proves nothing', async ({ assert }) => {
    const visitor = await adminVisitor()
    const { location } = await leave(visitor, '/auth/oidc/test')
    issuer.as(ADA, { wrongKey: true })
    await callback(visitor, issuer.visit(location))
    const { body } = await visitor.get('/api/v1/admin/auth/oidc')
    assert.containsSubset(body.data, { tested: false })
    assert.containsSubset(body.data.lastTest, { ok: false, failure: { reason: 'signature' } })
    assert.equal((await onlyWay(visitor)).status, 409)
  })

  test('other passwords are refused then, the local admin never', async ({ assert }) => {
    const visitor = await adminVisitor()
    const invitations = await app.container.make('identity.invitations')
    const admin = await User.firstOrFail()
    const by = { user: admin, address: null }
    const { token } = await invitations.invite({ email: 'eve@example.test', role: 'member' }, by)
    const eve = { username: 'eve@example.test', password: 'a password of eve' }
    await invitations.acceptWithPassword(token, 'Eve', eve.password)
    assert.equal((await new Visitor().post('/api/v1/session', eve)).status, 201)

    await testSignIn(visitor)
    await onlyWay(visitor)
    const refused = await new Visitor().post('/api/v1/session', eve)
    assert.equal(refused.status, 403)
    assert.equal(refused.body.errors[0].code, 'E_PASSWORD_SIGN_IN_OFF')
    const event = await AuditEvent.findByOrFail('action', 'session.refused')
    assert.deepEqual(event.details, { method: 'password', reason: 'switched_off' })
    const wrong = await new Visitor().post('/api/v1/session', {
      ...eve,
      password: 'something else',
    })
    assert.equal(wrong.status, 401)
    assert.equal((await new Visitor().post('/api/v1/session', ADMIN)).status, 201)
  })

  test('with changed settings it is one way of several again, until it is tested', async ({
    assert,
  }) => {
    const visitor = await adminVisitor()
    await testSignIn(visitor)
    await onlyWay(visitor)
    await visitor.patch('/api/v1/admin/settings', { 'oidc.clientSecret': 'another one' })
    const ways = await new Visitor().get('/api/v1/sign-in')
    assert.equal(ways.body.data.passwords, 'all')
  })

  test('a broken provider leads to the local account, with the reason', async ({ assert }) => {
    await adminVisitor()
    issuer.broken = true
    const visitor = new Visitor()
    assert.equal((await leave(visitor)).location, '/login')
    const { told, reason } = await refusalOf(visitor)
    assert.equal(reason, 'unreachable')
    assert.match(told.message, /cannot be reached/)
    assert.equal((await visitor.post('/api/v1/session', ADMIN)).status, 201)
  })

  test('a secret does not go along to another issuer', async ({ assert, cleanup }) => {
    const other = await RogueIssuer.start()
    cleanup(() => other.close())
    const visitor = await adminVisitor()
    const moved = { issuerUrl: other.url, clientId: 'mosaic' }
    const refused = await visitor.send('PUT', '/api/v1/admin/auth/oidc', moved)
    assert.equal(refused.status, 422)
    assert.equal(refused.body.errors[0].code, 'E_OIDC_SECRET_NEEDED')
    const stored = await visitor.send('PUT', '/api/v1/admin/auth/oidc', {
      ...moved,
      clientSecret: 'canary-secret',
    })
    assert.equal(stored.status, 200)
    assert.containsSubset(stored.body.data, { issuerUrl: other.url, tested: false })
    assert.notInclude(JSON.stringify(stored.body), 'canary')
  })
})

import { DateTime } from 'luxon'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import hash from '@adonisjs/core/services/hash'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
import AuditEvent from '#models/audit_event'
import User from '#models/user'
import { UserAdministration } from '#identity/user_administration'
import settings from '#settings/services/main'
import { adminSession } from '#tests/admin_session'
import { Visitor } from '#tests/visitor'
import { E_VAULT_UNREACHABLE } from '#vaults/errors'

const USERS = '/api/v1/admin/users'

async function withTokenOf(user: User) {
  const tokens = await app.container.make('identity.tokens')
  const token = await tokens.create(user, { name: 'test' })
  const authorization = `Bearer ${token.value!.release()}`
  return new Visitor({ headers: { authorization } })
}

/** A local account that is signed in, in a browser and in a program. */
async function secondAccount() {
  const accounts = await app.container.make('identity.breakglass')
  const account = { username: 'second', password: 'correct horse battery' }
  const user = await accounts.create(account)
  const browser = new Visitor()
  await browser.post('/api/v1/session', account)
  return { account, user, browser, program: await withTokenOf(user) }
}

/** Replaces stopping agents; the returned list collects the owners of the agents to stop. */
async function watchedAgents(cleanup: (restore: () => void) => void) {
  const ended: string[] = []
  const present = await app.container.make('identity.administration')
  const administration = new UserAdministration(
    await app.container.make('identity.sessions'),
    await app.container.make('identity.tokens'),
    async (userId) => void ended.push(userId),
    await app.container.make('audit')
  )
  app.container.bindValue('identity.administration', administration)
  cleanup(() => app.container.bindValue('identity.administration', present))
  return ended
}

const codeOf = ({ body }: { body: any }) => body.errors?.[0]?.code

test.group('Users, as an admin sees them', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('are found by a part of their name or address, by role and by state', async ({ assert }) => {
    const { visitor } = await adminSession()
    const deactivatedAt = DateTime.utc()
    await UserFactory.merge({ name: 'Ada Lovelace', email: 'countess@example.test' }).create()
    await UserFactory.merge({ name: 'Grace_100%', deactivatedAt }).create()
    const found = async (query: string) =>
      (await visitor.get(`${USERS}?${query}`)).body.data.map(({ name }: User) => name)

    assert.deepEqual(await found('search=LOVELACE'), ['Ada Lovelace'])
    assert.deepEqual(await found('search=countess'), ['Ada Lovelace'])
    assert.deepEqual(await found('search=e_1'), ['Grace_100%'])
    assert.deepEqual(await found('search=0%25'), ['Grace_100%'])
    assert.deepEqual(await found("search=' or 1=1 --"), [])
    assert.lengthOf(await found('role=admin'), 1)
    assert.deepEqual(await found('state=deactivated'), ['Grace_100%'])
    assert.lengthOf(await found('state=active'), 2)
    assert.deepEqual(await found('state=invited'), [])
    assert.equal((await visitor.get(`${USERS}?state=lost`)).status, 422)
  })

  test('have details in numbers, never the things', async ({ assert }) => {
    const { visitor } = await adminSession()
    const user = await UserFactory.create()
    await withTokenOf(user)
    const { body } = await visitor.get(`${USERS}/${user.id}`)
    assert.containsSubset(body.data, { id: user.id, tokens: 1, sessions: 0, lastSignInAt: null })
    assert.equal((await visitor.get(`${USERS}/none`)).status, 404)
  })
})

test.group('Changing users', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('deactivating ends sessions, tokens and the agent in one act', async ({
    assert,
    cleanup,
  }) => {
    const ended = await watchedAgents(cleanup)
    const { admin, visitor } = await adminSession()
    const { account, user, browser, program } = await secondAccount()
    assert.equal((await program.get('/api/v1/me')).status, 200)

    const answer = await visitor.post(`${USERS}/${user.id}/deactivate`)
    assert.equal(answer.status, 200)
    assert.isString(answer.body.data.deactivatedAt)
    assert.equal((await browser.get('/api/v1/me')).status, 401)
    assert.equal((await program.get('/api/v1/me')).status, 401)
    assert.equal((await program.get('/v1/models')).status, 401)
    assert.equal((await new Visitor().post('/api/v1/session', account)).status, 401)
    assert.deepEqual(ended, [user.id])
    const event = await AuditEvent.findByOrFail({ action: 'user.deactivated' })
    assert.containsSubset(event.$attributes, { actorId: admin.id, subjectId: user.id })
    assert.containsSubset(event.details, { sessions: 1, tokens: 1 })

    const back = await visitor.post(`${USERS}/${user.id}/reactivate`)
    assert.isNull(back.body.data.deactivatedAt)
    assert.equal((await new Visitor().post('/api/v1/session', account)).status, 201)
    assert.equal((await program.get('/api/v1/me')).status, 401, 'its token stays revoked')
  })

  test('reactivating revives nothing from before, also where the deactivation was cut short', async ({
    assert,
  }) => {
    const { visitor } = await adminSession()
    const { account, user, browser, program } = await secondAccount()
    await User.query().where('id', user.id).update({ deactivated_at: '2026-11-23 12:00:00' })

    assert.equal((await visitor.post(`${USERS}/${user.id}/reactivate`)).status, 200)
    assert.equal((await browser.get('/api/v1/me')).status, 401)
    assert.equal((await program.get('/api/v1/me')).status, 401)

    await browser.post('/api/v1/session', account)
    assert.equal((await visitor.post(`${USERS}/${user.id}/reactivate`)).status, 200)
    assert.equal((await browser.get('/api/v1/me')).status, 200, 'an active user stays signed in')
  })

  test('spares oneself and the last admin', async ({ assert, cleanup }) => {
    const ended = await watchedAgents(cleanup)
    const { admin, visitor } = await adminSession()
    const own = `${USERS}/${admin.id}`
    const tries = [
      await visitor.post(`${own}/deactivate`),
      await visitor.patch(own, { role: 'member' }),
    ]
    for (const refused of tries) {
      assert.equal(refused.status, 409)
      assert.equal(codeOf(refused), 'E_SELF')
    }

    const administration = await app.container.make('identity.administration')
    const by = { user: await UserFactory.create(), address: null }
    for (const act of [
      () => administration.deactivate(admin.id, by),
      () => administration.update(admin.id, { role: 'member' }, by),
    ]) {
      await assert.rejects(act, 'This is the last admin of the installation.')
    }
    await admin.refresh()
    assert.isNull(admin.deactivatedAt)
    assert.isTrue(admin.isAdmin)
    assert.lengthOf(ended, 0)
  })

  test('who has not taken their invitation yet does not count as another admin', async ({
    assert,
  }) => {
    const { admin } = await adminSession()
    const invitations = await app.container.make('identity.invitations')
    const by = { user: admin, address: null }
    await invitations.invite({ email: 'next@example.test', role: 'admin' }, by)
    const administration = await app.container.make('identity.administration')
    const other = { user: await UserFactory.create(), address: null }
    await assert.rejects(() => administration.deactivate(admin.id, other), /last admin/)
  })

  test('gives and takes roles, and notes each', async ({ assert }) => {
    const { visitor } = await adminSession()
    const user = await UserFactory.create()
    const changed = await visitor.patch(`${USERS}/${user.id}`, { role: 'admin', name: 'Renamed' })
    assert.containsSubset(changed.body.data, { role: 'admin', name: 'Renamed' })
    assert.equal((await visitor.patch(`${USERS}/${user.id}`, { role: 'king' })).status, 422)
    const event = await AuditEvent.findByOrFail({ action: 'user.role_changed' })
    assert.deepEqual(event.details, { role: 'admin' })
    assert.equal((await visitor.post(`${USERS}/none/deactivate`)).status, 404)
  })
})

test.group('Two admins who remove each other', (group) => {
  /** Real transactions, as two concurrent requests have them. */
  group.each.setup(() => testUtils.db().truncate())

  for (const how of ['demoting', 'deactivating'] as const) {
    test(`at the same time, ${how}, leave one of them`, async ({ assert }) => {
      const administration = await app.container.make('identity.administration')
      const remove = (id: string, user: User) =>
        how === 'demoting'
          ? administration.update(id, { role: 'member' }, { user, address: null })
          : administration.deactivate(id, { user, address: null })
      for (let round = 0; round < 5; round++) {
        await User.query().delete()
        const [one, other] = await UserFactory.apply('admin').createMany(2)
        const ends = await Promise.allSettled([remove(other.id, one), remove(one.id, other)])
        const refused = ends.filter((end) => end.status === 'rejected')
        assert.deepEqual(
          refused.map(({ reason }) => reason.code),
          ['E_LAST_ADMIN']
        )
        assert.lengthOf(await User.query().where('role', 'admin').whereNull('deactivated_at'), 1)
      }
    })
  }
})

test.group('Invitations', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  const EVE = { email: 'Eve@Example.test', name: 'Eve' }
  const PASSWORD = 'a long password of eve'
  const tokenIn = (url: string) => url.split('/').pop()!

  async function invited() {
    const { admin, visitor } = await adminSession()
    const { status, body } = await visitor.post(`${USERS}/invite`, EVE)
    if (status !== 201) throw new Error(JSON.stringify(body))
    return { admin, visitor, user: body.data, token: tokenIn(body.data.invitation.url) }
  }

  /** A browser that has opened a page of Mosaic, without signing in. */
  async function guest() {
    const visitor = new Visitor()
    await visitor.get('/api/v1/sign-in')
    return visitor
  }

  test('refuses an address that is none, broken characters too', async ({ assert }) => {
    const { visitor } = await adminSession()
    for (const email of ['eve', '\ud800', 'e\udc00@example.test']) {
      const { status, body } = await visitor.post(`${USERS}/invite`, { email })
      assert.equal(status, 422, JSON.stringify(email))
      assert.equal(body.errors[0].field, 'email')
    }
  })

  test('are made although the vault does not open the mail’s password', async ({
    assert,
    cleanup,
  }) => {
    await settings.set('mail.host', 'mail.example.test')
    await settings.set('mail.from', 'mosaic@example.test')
    await settings.set('mail.password', 'secret')
    const vaults = await app.container.make('vault.manager')
    const { open } = vaults
    cleanup(() => void (vaults.open = open))
    vaults.open = () => Promise.reject(new E_VAULT_UNREACHABLE())
    const { visitor } = await adminSession()
    const { status, body } = await visitor.post(`${USERS}/invite`, EVE)
    assert.equal(status, 201, JSON.stringify(body))
    assert.isString(body.data.invitation.url)
    assert.isFalse(body.data.invitation.delivery?.sent ?? false)
  })

  test('work once, and are kept as a hash', async ({ assert }) => {
    const { user, token, visitor } = await invited()
    assert.containsSubset(user, { email: 'eve@example.test', role: 'member', isInvited: true })
    const row = await User.findOrFail(user.id)
    assert.notInclude(JSON.stringify(row.$attributes), token)

    const eve = await guest()
    const shown = await eve.get(`/api/v1/invitations/${token}`)
    assert.containsSubset(shown.body.data, { email: 'eve@example.test', passwords: 'all' })
    const accepted = { name: 'Eve', password: PASSWORD }
    assert.equal((await eve.post(`/api/v1/invitations/${token}`, accepted)).status, 201)
    assert.equal((await eve.get('/api/v1/me')).body.data.signedInWith, 'password')

    const again = await (await guest()).post(`/api/v1/invitations/${token}`, accepted)
    assert.equal(codeOf(again), 'E_INVITATION')
    assert.equal((await eve.get(`/api/v1/invitations/${token}`)).status, 404)
    const signIn = { username: 'eve@example.test', password: PASSWORD }
    assert.equal((await new Visitor().post('/api/v1/session', signIn)).status, 201)
    const { body } = await visitor.get(`${USERS}?state=invited`)
    assert.lengthOf(body.data, 0)
  })

  test('of many who accept at once one wins', async ({ assert }) => {
    const { token } = await invited()
    const invitations = await app.container.make('identity.invitations')
    const tries = await Promise.all(
      Array.from({ length: 8 }, () => invitations.accept(token, { name: 'Eve' }))
    )
    assert.lengthOf(tries.filter(Boolean), 1)
  })

  test('that nobody sent cost no hash of a password', async ({ assert, cleanup }) => {
    const made: string[] = []
    const { make } = hash
    hash.make = (value) => (made.push(value), make.call(hash, value))
    cleanup(() => void (hash.make = make))
    const path = '/api/v1/invitations/none'
    assert.equal((await (await guest()).post(path, { password: PASSWORD })).status, 404)
    assert.lengthOf(made, 0)
  })

  test('end after seven days', async ({ assert }) => {
    const { token, user } = await invited()
    const past = DateTime.utc().minus({ seconds: 1 })
    const row = await User.findOrFail(user.id)
    await row.merge({ invitationExpiresAt: past }).save()
    assert.equal((await (await guest()).get(`/api/v1/invitations/${token}`)).status, 404)
  })

  test('an invitation that could not be accepted stays valid', async ({ assert }) => {
    const { token } = await invited()
    await UserFactory.merge({ oidcIssuer: 'https://id.test', oidcSubject: 'taken' }).create()
    const invitations = await app.container.make('identity.invitations')
    await assert.rejects(() =>
      invitations.accept(token, { oidcIssuer: 'https://id.test', oidcSubject: 'taken' })
    )
    assert.exists(await invitations.find(token))
    assert.equal((await invitations.accept(token, { name: 'Eve' }))?.name, 'Eve')
  })

  test('an invitation is not renewed once it was accepted', async ({ assert }) => {
    const { admin, token, user } = await invited()
    const invitations = await app.container.make('identity.invitations')
    const loaded = await User.findOrFail(user.id)
    await invitations.accept(token, { name: 'Eve' })
    const by = { user: admin, address: '192.0.2.1' }
    await assert.rejects(() => invitations.renew(loaded, by), /invit/i)
    assert.isFalse((await User.findOrFail(user.id)).isInvited)
  })

  test('are renewed, and the former link is worth nothing', async ({ assert }) => {
    const { token, user, visitor } = await invited()
    const renewed = await visitor.post(`${USERS}/${user.id}/invitation`)
    const next = tokenIn(renewed.body.data.invitation.url)
    const eve = await guest()
    assert.equal((await eve.get(`/api/v1/invitations/${token}`)).status, 404)
    assert.equal((await eve.get(`/api/v1/invitations/${next}`)).status, 200)
  })

  test('are taken back, with all that there was of the person', async ({ assert }) => {
    const { token, user, visitor } = await invited()
    assert.equal((await visitor.delete(`${USERS}/${user.id}/invitation`)).status, 204)
    assert.isNull(await User.find(user.id))
    assert.equal((await (await guest()).get(`/api/v1/invitations/${token}`)).status, 404)
  })

  test('are for people who are not here yet', async ({ assert }) => {
    const { admin, visitor } = await invited()
    const twice = await visitor.post(`${USERS}/invite`, { email: 'eve@example.TEST' })
    assert.equal(twice.status, 409)
    assert.equal(codeOf(twice), 'E_EMAIL_TAKEN')
    assert.equal(twice.body.errors[0].field, 'email')
    const here = await visitor.post(`${USERS}/${admin.id}/invitation`)
    assert.equal(codeOf(here), 'E_NOT_INVITED')
    const removed = await visitor.delete(`${USERS}/${admin.id}/invitation`)
    assert.equal(codeOf(removed), 'E_NOT_INVITED')
    assert.isNotNull(await User.find(admin.id))
  })
})

import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import AuditEvent from '#models/audit_event'
import User from '#models/user'
import { SIGN_IN_CHECKS, type SignInService } from '#identity/services/contract'
import { DiscordService } from '#identity/services/drivers/discord'
import { GoogleService } from '#identity/services/drivers/google'
import { MicrosoftService } from '#identity/services/drivers/microsoft'
import { ServiceRegistry } from '#identity/services/registry'
import { RogueIssuer } from '#tests/doubles/rogue_issuer'
import { DISCORD, GITHUB, GOOGLE, SocialService, type Person } from '#tests/doubles/social_service'
import { adminSession } from '#tests/admin_session'
import { Visitor } from '#tests/visitor'

const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'
const PROFILE = { name: 'Ada Lovelace', email: 'ada@example.test' }
const OPEN_ID = { sub: '1815', ...PROFILE, email_verified: true }

/** A double of a service, and the issuer of its identities. */
interface Kind {
  double: SocialService | RogueIssuer
  /** The address that an admin enters for it. */
  address: string | null
  issuer: string
  person: Person
}

/** Mosaic's built-in kinds, each with a double of its service. */
const KINDS: Record<string, () => Promise<Kind & { service?: SignInService }>> = {
  github: async () => {
    const double = await SocialService.start(GITHUB)
    const emails = [{ email: PROFILE.email, primary: true, verified: true }]
    const person = { id: 1815, login: 'ada', name: PROFILE.name, emails }
    return { double, address: double.url, issuer: double.url, person }
  },
  gitlab: async () => {
    const double = await RogueIssuer.start()
    return { double, address: double.url, issuer: double.url, person: OPEN_ID }
  },
  google: async () => {
    const double = await SocialService.start(GOOGLE)
    const issuer = 'https://accounts.google.com'
    const service = new GoogleService(double.endpoints)
    return { double, address: null, issuer, person: OPEN_ID, service }
  },
  microsoft: async () => {
    const double = await RogueIssuer.start(`/${TENANT}/v2.0`)
    const service = new MicrosoftService(double.origin)
    return { double, address: TENANT, issuer: double.url, person: OPEN_ID, service }
  },
  discord: async () => {
    const double = await SocialService.start(DISCORD)
    const person = {
      id: '1815',
      username: 'ada',
      discriminator: '0',
      global_name: PROFILE.name,
      email: PROFILE.email,
      verified: true,
    }
    const service = new DiscordService(double.endpoints)
    return { double, address: null, issuer: 'https://discord.com', person, service }
  },
}

const registry = () => app.container.make('identity.services.registry')

/** The limits are rows outside a test's transaction. */
async function forgetLimits() {
  const forget = async () => void (await db.from('rate_limits').delete())
  await forget()
  return forget
}

test.group('Services to sign in with', (group) => {
  group.each.setup(forgetLimits)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
  })

  /** Replaces a kind with its double, and enables it. */
  async function prepare(
    name: string,
    after: (undo: () => void | Promise<void>) => void
  ): Promise<Kind> {
    const { service, ...kind } = await KINDS[name]()
    after(() => kind.double.close())
    const present = (await registry()).get(name)
    if (service) (await registry()).extend(name, () => service)
    after(async () => (await registry()).extend(name, () => present))
    const { visitor } = await adminSession()
    const client = kind.double instanceof RogueIssuer ? RogueIssuer.CLIENT : SocialService.CLIENT
    const rules = { signUp: 'anyone', isProof: false, isActive: true }
    const path = `/api/v1/admin/auth/services/${name}`
    const stored = await visitor.send('PUT', path, { ...client, ...rules, address: kind.address })
    if (stored.status !== 200) throw new Error(JSON.stringify(stored.body))
    return kind
  }

  async function leave(visitor: Visitor, name: string, act = 'start') {
    const sent = await visitor.get(`/auth/${name}/${act}`)
    return sent.headers.get('location') ?? ''
  }

  async function arrive(visitor: Visitor, name: string, answer: Record<string, string>) {
    const query = new URLSearchParams(answer)
    const arrived = await visitor.get(`/auth/${name}/callback?${query}`)
    return arrived.headers.get('location')
  }

  const lastRefusal = async () => {
    const events = AuditEvent.query().where('action', 'session.refused')
    return (await events.orderBy('id', 'desc').first())?.details?.reason
  }

  test('are those that Mosaic brings, all off', async ({ assert }) => {
    const names = (await registry()).all().map(({ name }) => name)
    assert.sameMembers(names, Object.keys(KINDS))
    const ways = await new Visitor().get('/api/v1/sign-in')
    assert.deepEqual(ways.body.data.services, [])
  })

  for (const name of Object.keys(KINDS)) {
    test(`${name}: a person comes in by their number, and with their verified address`, async ({
      assert,
      cleanup,
    }) => {
      const { double, issuer, person } = await prepare(name, cleanup)
      const visitor = new Visitor()
      const answer = double.as(person).visit(await leave(visitor, name))
      assert.equal(await arrive(visitor, name, answer), '/chat')
      const user = await User.findByOrFail('oidc_subject', '1815')
      assert.include(user.$attributes, { ...PROFILE, oidcIssuer: issuer, role: 'member' })
      assert.isNotNull(user.emailVerifiedAt)
      assert.equal((await visitor.get('/api/v1/me')).body.data.signedInWith, name)
      assert.equal((await visitor.delete('/api/v1/session')).status, 204, 'it stays open there')
    })

    test(`${name}: a code of another sign-in does not fit, nor another's state`, async ({
      assert,
      cleanup,
    }) => {
      const { double, person } = await prepare(name, cleanup)
      const [mine, theirs] = [new Visitor(), new Visitor()]
      const stolen = double.as(person).visit(await leave(theirs, name))
      const own = double.visit(await leave(mine, name))
      assert.equal(await arrive(mine, name, { ...own, code: stolen.code }), '/login')
      assert.equal(await lastRefusal(), 'code')
      assert.equal(await arrive(mine, name, stolen), '/login')
      assert.equal(await lastRefusal(), 'state')
      assert.isNull(await User.findBy('oidc_subject', '1815'))
    })
  }

  for (const name of ['gitlab', 'microsoft']) {
    test(`${name}: nonce and signature are checked, and a fresh sign-in confirms`, async ({
      assert,
      cleanup,
    }) => {
      const { double, person } = await prepare(name, cleanup)
      const issuer = double as RogueIssuer
      for (const [roguery, reason] of [
        [{ claims: { nonce: 'of another' } }, 'nonce'],
        [{ wrongKey: true }, 'signature'],
      ] as const) {
        const visitor = new Visitor()
        const answer = issuer.as(person, roguery).visit(await leave(visitor, name))
        await arrive(visitor, name, answer)
        assert.equal(await lastRefusal(), reason)
      }
      const visitor = new Visitor()
      await arrive(visitor, name, issuer.as(person).visit(await leave(visitor, name)))
      const asked = await leave(visitor, name, 'confirm')
      assert.equal(new URL(asked).searchParams.get('prompt'), 'login')
      const claims = { auth_time: Math.floor(Date.now() / 1000) }
      await arrive(visitor, name, issuer.as(person, { claims }).visit(asked))
      await AuditEvent.findByOrFail('action', 'session.confirmed')
    })
  }

  test('microsoft takes the id of one tenant, and nothing that stands for several', async ({
    assert,
  }) => {
    const { visitor } = await adminSession()
    const rest = { clientId: 'a', clientSecret: 'b', signUp: 'invited', isProof: false }
    for (const address of [null, 'common', 'organizations', 'example.com', `${TENANT}/`]) {
      const { status, body } = await visitor.send('PUT', '/api/v1/admin/auth/services/microsoft', {
        ...rest,
        address,
        isActive: false,
      })
      assert.equal(status, 422)
      assert.equal(body.errors[0].field, 'address')
    }
  })

  test('a plugin adds one, under a name that nothing else has', async ({ assert }) => {
    const services = new ServiceRegistry({ services: {} })
    const plugin = (name: string) => () => Object.assign(new DiscordService(), { name })
    services.extend('acme-id', plugin('acme-id'))
    assert.equal(services.get('acme-id').label, 'Discord')
    for (const name of ['oidc', 'password', 'breakglass', 'token', 'Acme', 'a/b', '']) {
      assert.throws(() => services.extend(name, plugin(name)), /calls itself/)
    }
    assert.throws(() => services.extend('acme', plugin('other')), /calls itself/)
    assert.throws(() => services.get('elsewhere'), /no sign-in service/)
  })

  test('what each checks stands in the documentation', async ({ assert }) => {
    const text = readFileSync(app.makePath('docs/oidc.md'), 'utf8')
    const table = text.split('### What Mosaic checks')[1].split('###')[0].split('\n')
    for (const { label, checks } of (await registry()).all()) {
      const row = table.find((line) => line.startsWith(`| ${label} `))
      assert.exists(row, `docs/oidc.md has no row of ${label}`)
      const cells = row!.split('|').slice(3, -1)
      assert.deepEqual(
        cells.map((cell) => cell.trim() === 'yes'),
        SIGN_IN_CHECKS.map((check) => checks.includes(check)),
        label
      )
    }
  })
})

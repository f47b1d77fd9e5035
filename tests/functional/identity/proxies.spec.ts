import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import AuditEvent from '#models/audit_event'
import { examine } from '#console/examination'
import { Checklist } from '#onboarding/checklist'
import settings from '#settings/services/main'
import { TrustedProxies } from '#settings/trusted_proxies'
import { UnlistedProxies } from '#settings/unlisted_proxies'

const ADMIN = { username: 'admin', password: 'correct horse battery' }

/** Both are addresses of this machine; only the first is listed as a proxy. */
const PROXY = '127.0.0.1'
const STRANGER = '127.0.0.2'

interface Answer {
  status: number
  headers: IncomingHttpHeaders
}

function signIn(from: string, headers: Record<string, string>, password = ADMIN.password) {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  httpRequest(
    {
      host: process.env.HOST,
      port: process.env.PORT,
      localAddress: from,
      method: 'POST',
      path: '/api/v1/session',
      headers: { 'content-type': 'application/json', ...headers },
    },
    async (answer) => {
      await text(answer)
      resolve({ status: answer.statusCode!, headers: answer.headers })
    }
  )
    .on('error', reject)
    .end(JSON.stringify({ ...ADMIN, password }))
  return promise
}

const lastAddress = async () => {
  const event = await AuditEvent.query().orderBy('id', 'desc').firstOrFail()
  return event.address
}

test.group('Where a request comes from', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await settings.set('network.trustedProxies', [`${PROXY}/32`])
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ADMIN)
  })

  test('is what a listed proxy says, and its own address for everyone else', async ({ assert }) => {
    const forwarded = { 'x-forwarded-for': '203.0.113.7' }
    assert.equal((await signIn(PROXY, forwarded)).status, 201)
    assert.equal(await lastAddress(), '203.0.113.7')
    assert.equal((await signIn(STRANGER, forwarded)).status, 201)
    assert.equal(await lastAddress(), STRANGER)
  })

  test('is not what a sender wrote before the proxy did', async ({ assert }) => {
    await signIn(PROXY, { 'x-forwarded-for': '198.51.100.1, 203.0.113.7' })
    assert.equal(await lastAddress(), '203.0.113.7')
  })

  test('is by https where a listed proxy says so: secure cookies, and HSTS', async ({ assert }) => {
    const https = { 'x-forwarded-proto': 'https' }
    const proxied = await signIn(PROXY, https)
    assert.isDefined(proxied.headers['strict-transport-security'])
    for (const cookie of proxied.headers['set-cookie']!) assert.match(cookie, /; Secure$/i)
    const pretended = await signIn(STRANGER, https)
    assert.isUndefined(pretended.headers['strict-transport-security'])
    for (const cookie of pretended.headers['set-cookie']!) assert.notMatch(cookie, /; Secure/i)
  })

  test('follows the setting at once, with no restart', async ({ assert }) => {
    const forwarded = { 'x-forwarded-for': '203.0.113.7' }
    await settings.set('network.trustedProxies', [`${STRANGER}/32`])
    await signIn(PROXY, forwarded)
    assert.equal(await lastAddress(), PROXY)
    const https = { ...forwarded, 'x-forwarded-proto': 'https' }
    const isSecure = async () =>
      (await signIn(STRANGER, https)).headers['strict-transport-security'] !== undefined
    assert.isTrue(await isSecure())
    assert.equal(await lastAddress(), '203.0.113.7')
    await settings.set('network.trustedProxies', [])
    assert.isFalse(await isSecure())
    assert.equal(await lastAddress(), STRANGER)
  })

  test('slows down whoever guesses passwords, whatever address they make up', async ({
    assert,
  }) => {
    const statuses: number[] = []
    for (let tries = 0; tries < 11; tries++) {
      const madeUp = { 'x-forwarded-for': `198.51.100.${tries}` }
      statuses.push((await signIn('127.0.0.3', madeUp, 'a wrong password')).status)
    }
    assert.equal(statuses.at(-1), 429)
    const honest = await signIn(PROXY, { 'x-forwarded-for': '203.0.113.9' })
    assert.equal(honest.status, 201, 'others are not locked out')
  })

  test('is nobody else’s word while no proxy is listed, not even one of this machine', async ({
    assert,
  }) => {
    await settings.set('network.trustedProxies', null!)
    const told = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
      'x-real-ip': '203.0.113.7',
      'forwarded': 'for=203.0.113.7;proto=https',
    }
    const { headers } = await signIn(PROXY, told)
    assert.equal(await lastAddress(), PROXY)
    for (const cookie of headers['set-cookie']!) assert.notMatch(cookie, /; Secure/i)
    assert.isUndefined(headers['strict-transport-security'])
  })

  test('of a proxy that nobody listed is found by the doctor, and told to admins', async ({
    assert,
    cleanup,
  }) => {
    let now = Date.now()
    const present = await app.container.make('settings.unlistedProxies')
    app.container.bindValue('settings.unlistedProxies', new UnlistedProxies(settings, () => now))
    cleanup(() => app.container.bindValue('settings.unlistedProxies', present))
    const seen = async () => {
      const findings = await examine(app)
      return findings.filter(({ area }) => area === 'network')
    }
    await signIn(PROXY, { 'x-forwarded-for': '203.0.113.7' })
    assert.isEmpty(await seen(), 'this one is listed')
    await signIn(STRANGER, { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.7' })
    assert.include((await seen())[0].message, `${STRANGER} sends x-forwarded-for, x-real-ip`)

    const checklist = async () => {
      const { items } = await (await app.container.make('onboarding.checklist')).state()
      return items.some(({ name }) => name === 'proxies')
    }
    app.container.bindValue(
      'onboarding.checklist',
      new Checklist(
        settings,
        await app.container.make('runtime.manager'),
        await app.container.make('settings.unlistedProxies')
      )
    )
    assert.isTrue(await checklist())
    await settings.set('network.trustedProxies', ['127.0.0.0/8'])
    assert.isEmpty(await seen())
    assert.isFalse(await checklist())

    await settings.set('network.trustedProxies', [])
    for (let host = 10; host < 30; host++) {
      now += 20_000
      await signIn(`127.0.0.${host}`, { forwarded: 'for=203.0.113.7' })
    }
    assert.isAtMost((await seen()).length, 5)
  })

  test('knows an IPv4 address in whatever form a socket tells it', ({ assert }) => {
    const proxies = new TrustedProxies(['10.0.0.0/8', 'fd00::/8'])
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1']) {
      assert.isTrue(proxies.trusts(address), address)
    }
    for (const address of ['11.1.2.3', '::1', '127.0.0.1', '', 'unknown', '10.1']) {
      assert.isFalse(proxies.trusts(address), address)
    }
  })
})

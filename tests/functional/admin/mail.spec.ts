import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import type { SMTPServerOptions } from 'smtp-server'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import AuditEvent from '#models/audit_event'
import type User from '#models/user'
import { UserFactory } from '#database/factories/user_factory'
import settings from '#settings/services/main'
import { checkedAddress } from '#mail/mail_server'
import { TestMailServer } from '#tests/doubles/mail_server'
import { adminSession } from '#tests/admin_session'
import { Visitor } from '#tests/visitor'

const INVITE = '/api/v1/admin/users/invite'
const TEST = '/api/v1/admin/mail/test'
const ACCOUNT = ['mosaic', 'canary password of the mail']
const EVE = { email: 'eve@example.test', name: 'Eve' }

test.group('Mail', (group) => {
  let admin: User
  let visitor: Visitor
  const servers: TestMailServer[] = []

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    ;({ admin, visitor } = await adminSession({ name: 'Ada' }))
    return async () => {
      for (const server of servers.splice(0)) await server.stop()
    }
  })

  const change = (values: object) => visitor.patch('/api/v1/admin/settings', values)

  /** Starts a mail server and points the settings at it. */
  async function setUp(
    options: ConstructorParameters<typeof TestMailServer>[0] = {},
    values: object = {}
  ) {
    const server = new TestMailServer(options)
    servers.push(server)
    const changed = await change({
      'mail.host': '127.0.0.1',
      'mail.port': await server.start(),
      'mail.security': 'none',
      'mail.from': 'mosaic@example.test',
      ...values,
    })
    if (changed.status !== 200) throw new Error(JSON.stringify(changed.body))
    return server
  }

  const trial = async () => (await visitor.post(TEST, { to: 'ada@example.test' })).body.data

  test('brings an invitation, whose link works, and the link is there to copy as well', async ({
    assert,
  }) => {
    const server = await setUp()
    const { status, body } = await visitor.post(INVITE, EVE)
    assert.equal(status, 201)
    const { url, mail } = body.data.invitation
    assert.deepEqual(mail, { sent: true })

    const [{ from, to, source }] = server.taken
    assert.equal(from, 'mosaic@example.test')
    assert.deepEqual(to, [EVE.email])
    const text = source.replace(/=\r\n/g, '').replaceAll('=3D', '=')
    assert.include(text, url)
    assert.include(text, 'Ada invites you')
    const path = new URL(url).pathname
    assert.equal((await new Visitor().get(`/api/v1${path}`)).status, 200)
  })

  test('brings a renewed invitation with the new link', async ({ assert }) => {
    const server = await setUp()
    const invited = (await visitor.post(INVITE, EVE)).body.data
    const renewed = await visitor.post(`/api/v1/admin/users/${invited.id}/invitation`)
    assert.deepEqual(renewed.body.data.invitation.mail, { sent: true })
    assert.lengthOf(server.taken, 2)
    assert.notEqual(renewed.body.data.invitation.url, invited.invitation.url)
  })

  test('is nothing that an invitation needs: without it, or where it fails, the link is told', async ({
    assert,
  }) => {
    const without = (await visitor.post(INVITE, EVE)).body.data.invitation
    assert.isNull(without.mail)
    const server = await setUp()
    await server.stop()
    const failed = await visitor.post(INVITE, { email: 'bob@example.test' })
    assert.equal(failed.status, 201)
    assert.match(failed.body.data.invitation.url, /\/invitations\//)
    assert.containsSubset(failed.body.data.invitation.mail, { sent: false, reason: 'unreachable' })
  })

  test('goes with the account of the settings, whose password is sealed and told nowhere', async ({
    assert,
  }) => {
    const [username, password] = ACCOUNT
    const account = { 'mail.username': username, 'mail.password': password }
    await setUp({ account: ACCOUNT }, account)
    assert.deepEqual(await trial(), { sent: true })

    const row = await db.from('system_configs').where('key', 'mail.password').firstOrFail()
    assert.match(row.value, /^enc:/)
    const listed = JSON.stringify((await visitor.get('/api/v1/admin/settings')).body)
    assert.notInclude(listed, password)

    await change({ 'mail.password': 'something else' })
    const refused = await trial()
    assert.containsSubset(refused, { sent: false, reason: 'unauthorized' })
    assert.notInclude(JSON.stringify(refused), 'something else')
  })

  test('a password does not go along to another server', async ({ assert }) => {
    await change({ 'mail.host': 'mail.example.test', 'mail.password': ACCOUNT[1] })
    const moved = await change({ 'mail.host': 'mail.attacker.test' })
    assert.equal(moved.status, 422)
    assert.containsSubset(moved.body.errors[0], {
      code: 'E_MAIL_PASSWORD_NEEDED',
      field: 'mail.password',
    })
    assert.equal(await settings.get('mail.host'), 'mail.example.test')
    assert.equal((await change({ 'mail.host': 'mail.example.test', 'mail.port': 25 })).status, 200)
    const entered = { 'mail.host': 'mail.example.org', 'mail.password': 'another one' }
    assert.equal((await change(entered)).status, 200)
  })

  test('waits for protection where the settings want it, and says nothing before', async ({
    assert,
  }) => {
    const [username, password] = ACCOUNT
    const values = { 'mail.username': username, 'mail.password': password }
    let said = ''
    const onAuth: SMTPServerOptions['onAuth'] = (auth, _session, done) => {
      said += String(auth.password)
      done(new Error('no'))
    }
    for (const security of ['starttls', 'tls']) {
      for (const tls of [false, true]) {
        await setUp({ onAuth, tls }, { ...values, 'mail.security': security })
        const { reason } = await trial()
        assert.include(['insecure', 'timeout', 'unreachable'], reason, `${security}, ${tls}`)
      }
    }
    assert.equal(said, '', 'the password went nowhere')
  })

  test('goes nowhere an admin did not allow, whatever the name is', async ({ assert }) => {
    const server = await setUp()
    await change({ 'network.allowedRanges': [] })
    for (const host of [
      '127.0.0.1',
      'localhost',
      '169.254.169.254',
      '2130706433',
      '[::1]',
      '::1',
    ]) {
      const { status } = await change({ 'mail.host': host })
      if (status === 422) continue
      const { sent, reason } = await trial()
      assert.isFalse(sent, host)
      assert.include(['blocked_address', 'unreachable'], reason, host)
    }
    assert.lengthOf(server.taken, 0)
    const twofold = async () => [{ address: '93.184.216.34' }, { address: '10.0.0.1' }]
    await assert.rejects(() => checkedAddress('mail.example', [], twofold), /network/)
    assert.equal(await checkedAddress('mail.example', ['10.0.0.0/8'], twofold), '93.184.216.34')
  })

  test('tells why it did not go', async ({ assert }) => {
    assert.containsSubset(await trial(), { sent: false, reason: 'not_set_up' })
    const strict = {
      onRcptTo: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
        done(new Error('not here')),
    }
    await setUp(strict)
    const refused = await trial()
    assert.containsSubset(refused, { sent: false, reason: 'recipient_refused' })
    assert.isString(refused.message)
    assert.isString(refused.hint)

    const noise = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await once(noise.listen(0, '127.0.0.1'), 'listening')
    await change({ 'mail.port': (noise.address() as AddressInfo).port })
    const { sent } = await trial()
    noise.close()
    assert.isFalse(sent)
  })

  test('that is tried out is in the record, with what became of it', async ({ assert }) => {
    await trial()
    await setUp()
    await trial()
    const events = await AuditEvent.query().where('action', 'mail.tested').orderBy('id')
    assert.deepEqual(
      events.map(({ actorId, details }) => ({ actorId, details })),
      [
        { actorId: admin.id, details: { sent: false, reason: 'not_set_up' } },
        { actorId: admin.id, details: { sent: true } },
      ]
    )
  })

  const refusing = (responseCode: number, words: string) =>
    Object.assign(new Error(words), { responseCode })
  const no =
    (status: number, words: string) =>
    (_subject: unknown, _session: unknown, done: (error?: Error) => void) =>
      done(refusing(status, words))
  const atSender = (status: number, words: string) => ({ onMailFrom: no(status, words) })
  const atRecipient = (status: number, words: string) => ({ onRcptTo: no(status, words) })
  const atText = (status: number, words: string) => ({
    onData: (stream: NodeJS.ReadableStream, _session: unknown, done: (error?: Error) => void) => {
      stream.resume().on('end', () => done(refusing(status, words)))
    },
  })

  test('is refused for a reason of its own: {name}')
    .with([
      { name: 'sender', options: atSender(550, '5.1.8 Who is that'), reason: 'sender_refused' },
      { name: 'sender, at the end', options: atText(550, '5.1.7 No'), reason: 'sender_refused' },
      { name: 'sender, in words', options: atSender(553, 'Not yours'), reason: 'sender_refused' },
      { name: 'recipient', options: atRecipient(550, '5.1.1 Nobody'), reason: 'recipient_refused' },
      { name: 'relay', options: atRecipient(554, '5.7.1 No relay'), reason: 'recipient_refused' },
      { name: 'full', options: atRecipient(552, '5.2.2 Full'), reason: 'recipient_refused' },
      { name: 'account', options: atSender(530, '5.7.0 Sign in'), reason: 'unauthorized' },
      { name: 'TLS', options: atSender(530, '5.7.0 STARTTLS first'), reason: 'insecure' },
      { name: 'size', options: atSender(552, '5.3.4 Too big'), reason: 'too_large' },
      { name: 'size, in words', options: atText(552, 'Too big'), reason: 'too_large' },
      { name: 'rate', options: atSender(450, '4.7.1 Slow down'), reason: 'rate_limited' },
      { name: 'grey', options: atRecipient(451, '4.7.1 Later'), reason: 'rate_limited' },
      { name: 'spam', options: atText(554, '5.7.1 A bad certificate: spam'), reason: 'refused' },
    ])
    .run(async ({ assert }, { options, reason }) => {
      await setUp(options as SMTPServerOptions)
      const refused = await trial()
      assert.containsSubset(refused, { sent: false, reason })
      assert.match(refused.message, /\(\d{3}( \d\.\d\.\d)?\)\.$/)
      assert.equal(/[Cc]heck the sender/.test(refused.hint), reason === 'sender_refused')
    })

  test('is tried out by admins alone', async ({ assert }) => {
    const member = await UserFactory.create()
    const tokens = await app.container.make('identity.tokens')
    const token = (await tokens.create(member, { name: 'test' })).value!.release()
    const other = new Visitor({ headers: { authorization: `Bearer ${token}` } })
    assert.equal((await other.post(TEST, { to: 'ada@example.test' })).status, 403)
    assert.equal((await visitor.post(TEST, { to: 'nobody' })).status, 422)
  })
})

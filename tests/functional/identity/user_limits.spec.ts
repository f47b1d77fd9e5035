import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import { UserLimits } from '#identity/user_limits'
import { baseUrl, scriptedSurface } from '#tests/doubles/chat_surface'
import { EventReader } from '#tests/doubles/event_reader'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { until } from '#tests/doubles/test_clock'
import { freshLimits, someone } from '#tests/functional/identity/limited'
import { Visitor } from '#tests/visitor'

test.group('What one user may ask of Mosaic', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(freshLimits)

  test('is so many requests a minute; then they are told when to come back', async ({ assert }) => {
    await settings.set('limits.requestsPerMinute', 10)
    const [{ visitor, headers }, other] = [await someone(), await someone()]
    for (let asked = 0; asked < 10; asked++) {
      assert.equal((await visitor.get('/api/v1/me')).status, 200)
    }
    const refused = await visitor.get('/api/v1/me')
    assert.equal(refused.status, 429)
    assert.equal(refused.body.errors[0].code, 'E_TOO_MANY_REQUESTS')
    const seconds = Number(refused.headers.get('retry-after'))
    assert.isTrue(seconds >= 1 && seconds <= 60, `${seconds} s`)

    const elsewhere = new Visitor({ headers })
    assert.equal((await elsewhere.get('/v1/models')).status, 429, 'whatever they ask for')
    const chat = await elsewhere.post('/v1/chat/completions', { messages: [] })
    assert.equal(chat.status, 429)
    assert.equal(chat.body.error.code, 'rate_limit_exceeded')
    assert.equal((await other.visitor.get('/api/v1/me')).status, 200, 'others go on')
  })

  test('is so many answers that stay open, chats and events together', async ({ assert }) => {
    await settings.set('limits.openStreams', 2)
    const gateway = await new ScriptedGateway().start()
    const surface = scriptedSurface({ timing: { openAfterMs: 20, heartbeatMs: 20 } })
    surface.waker.remembered = gateway.access
    const rest = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('first')
      await rest.promise
      reply.finish()
    }
    try {
      const { headers, visitor } = await someone()
      const chatting = await fetch(`${baseUrl()}/v1/chat/completions`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
      })
      const watching = await EventReader.open('/api/v1/agent/events', headers)

      for (const path of ['/api/v1/chat', '/v1/chat/completions']) {
        const refused = await visitor.post(path, { message: 'Hello' })
        assert.equal(refused.status, 429, path)
        assert.isNotNull(refused.headers.get('retry-after'))
      }
      assert.equal((await visitor.get('/api/v1/me')).status, 200, 'what ends at once goes on')

      await watching.close()
      rest.resolve()
      await chatting.text()
      await until(async () => {
        const again = await EventReader.open('/api/v1/agent/events', headers).catch(() => null)
        await again?.close()
        return again !== null
      })
    } finally {
      rest.resolve()
      await surface.restore()
      await gateway.stop()
    }
  })

  test('waits for no setting that is read anew', async ({ assert }) => {
    let now = 0
    let reads = 0
    let answer = Promise.resolve(10)
    const slow = { get: () => (reads++, answer) } as never
    const limits = new UserLimits(slow, () => now)
    const { user } = await someone()
    await limits.request(user.id)
    const before = reads
    now = 60_000
    answer = new Promise(() => {})
    await limits.request(user.id)
    assert.equal(reads, before + 1, 'asked for, and not waited for')
    await limits.request(user.id)
    assert.equal(reads, before + 1, 'once')
  })
})

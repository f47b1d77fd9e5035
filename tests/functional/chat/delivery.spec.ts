import { setTimeout } from 'node:timers/promises'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { ScriptedGateway, type GatewayReply } from '#tests/doubles/scripted_gateway'

const MESSAGE = { messages: [{ role: 'user', content: 'Hello' }], user: 'notes' }

/** OpenClaw's refusal before it starts any work. */
const DRAINING = {
  message: 'Gateway is temporarily unavailable while suspending or restarting',
  type: 'service_unavailable',
  code: 'gateway_unavailable',
}

/** Responses of failed runs, as from OpenClaw 2026.9.6: by then the message is in the history. */
const FAILED_RUNS: [status: number, error: object][] = [
  [503, { message: 'upstream provider overloaded', type: 'api_error' }],
  [503, { message: 'overloaded', type: 'api_error', code: 'server_error' }],
  [401, { message: 'Incorrect API key provided', type: 'authentication_error' }],
  [502, { message: 'upstream provider error', type: 'api_error' }],
  [504, { message: 'upstream provider timeout', type: 'api_error' }],
  [500, { message: 'internal error', type: 'api_error' }],
]

test.group('What a gateway took', (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let token: string

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    surface = scriptedSurface()
    surface.waker.remembered = gateway.access
    surface.waker.wake = async () => gateway.access
    token = (await userWithToken()).token
    return async () => {
      await surface.restore()
      await gateway.stop()
    }
  })

  const post = (path: string, body: object) =>
    fetch(`${baseUrl()}${path}`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const complete = () => post('/v1/chat/completions', MESSAGE)
  const ways = {
    'without a stream': complete,
    'in a stream': () => post('/v1/chat/completions', { ...MESSAGE, stream: true }),
    'from the page': () => post('/api/v1/chat', { message: 'Hello' }),
  }

  for (const [way, ask] of Object.entries(ways)) {
    test(`is never sent again, ${way}: {0}`)
      .with(FAILED_RUNS)
      .run(async ({ assert }, [status, error]) => {
        gateway.script = (reply) => reply.json(status, { error })
        const text = await (await ask()).text()
        assert.match(text, /E_AGENT_FAILED/)
        assert.lengthOf(gateway.requests, 1)
        assert.lengthOf(surface.waker.woken, 0)
      })

    test(`is sent again, once, only where it refused it, ${way}`, async ({ assert }) => {
      gateway.script = (reply) => {
        if (gateway.requests.length > 1) return answer(reply, way)
        reply.json(503, { error: DRAINING }, { 'retry-after': '1' })
      }
      const text = await (await ask()).text()
      assert.include(text, 'Hello')
      assert.lengthOf(gateway.requests, 2)
      assert.lengthOf(surface.waker.woken, 1)
    })
  }

  test('counts as admitted unless OpenClaw refuses in its own words: {0}')
    .with([
      'Service Unavailable',
      '',
      'null',
      '{"error":null}',
      '{"error":{"type":"service_unavailable"}}',
      `{"error":{"type":"service_unavailable","code":"gateway_unavailable"},"x":"${'x'.repeat(8192)}"}`,
    ])
    .run(async ({ assert }, body) => {
      gateway.script = ({ raw }) => void raw.writeHead(503, { 'retry-after': '1' }).end(body)
      const answered = await complete()
      assert.equal(answered.status, 502)
      assert.equal(((await answered.json()) as any).error.code, 'E_AGENT_FAILED')
      assert.lengthOf(gateway.requests, 1)
    })

  test('comes after new settings that are on their way, and counts only then', async ({
    assert,
  }) => {
    const settled = Promise.withResolvers<void>()
    surface.waker.settling = settled.promise
    const answering = ways['in a stream']()
    const gone = new AbortController()
    const leaving = fetch(`${baseUrl()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(MESSAGE),
      signal: gone.signal,
    }).catch(() => null)
    await setTimeout(100)
    assert.lengthOf(gateway.requests, 0)
    assert.equal(surface.activity.begun, 0)
    gone.abort()
    await leaving
    await setTimeout(50)
    settled.resolve()
    assert.include(await (await answering).text(), 'Hello')
    assert.lengthOf(gateway.requests, 1)
  })

  test('ends with an error when the gateway stays closed', async ({ assert }) => {
    gateway.script = (reply) => reply.json(503, { error: DRAINING }, { 'retry-after': '1' })
    const answered = await complete()
    assert.equal(answered.status, 503)
    assert.equal(((await answered.json()) as any).error.code, 'E_AGENT_UNREACHABLE')
    assert.lengthOf(gateway.requests, 2)
  })

  test('tells no caller that their own token is wrong', async ({ assert }) => {
    gateway.script = (reply) => reply.json(401, { error: FAILED_RUNS[2][1] })
    assert.equal((await complete()).status, 502)
  })
})

function answer(reply: GatewayReply, way: string): void {
  if (way !== 'without a stream') return reply.begin().say('Hello').finish()
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Hello' } }]
  reply.json(200, { id: 'one', object: 'chat.completion', choices })
}

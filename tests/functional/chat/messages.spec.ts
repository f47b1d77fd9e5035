import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { allowLoopback } from '#tests/allow_loopback'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { providerOf } from '#tests/functional/openclaw/agent'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

const KEY = 'sk-ant-canary-71c0'
const VERSION = '2023-06-01'
const hello = {
  model: 'claude/sonnet',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hello' }],
}

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'sonnet',
  content: [{ type: 'text', text: 'Good day.' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, output_tokens: 4 },
}

const EVENTS = [
  { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Good' } },
]
const encoded = (events: { type: string }[]) =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

/** Failures of a provider, and the status and type that the client must get. */
const FAILURES: [status: number, type: string, told: number, toldType: string][] = [
  [401, 'authentication_error', 401, 'authentication_error'],
  [404, 'not_found_error', 404, 'not_found_error'],
  [400, 'invalid_request_error', 400, 'invalid_request_error'],
  [429, 'rate_limit_error', 429, 'rate_limit_error'],
  [529, 'overloaded_error', 529, 'overloaded_error'],
]

test.group("A model by Anthropic's API", (group) => {
  let upstream: LoopbackProvider
  let surface: ReturnType<typeof scriptedSurface>
  let token: string

  group.setup(() => testUtils.db().truncate())
  group.setup(allowLoopback)
  group.each.setup(async () => {
    upstream = await new LoopbackProvider().start()
    surface = scriptedSurface({ models: { 'mosaic-claude': ['sonnet'], 'mosaic-work': ['gpt'] } })
    const owner = await userWithToken()
    token = owner.token
    const values = { name: 'claude', type: 'anthropic', apiType: 'anthropic-messages' }
    await providerOf(owner.user.id, { ...values, baseUrl: upstream.url }, KEY)
    await providerOf(owner.user.id, { name: 'work', type: 'custom', baseUrl: upstream.url }, KEY)
    return async () => {
      await surface.restore()
      await upstream.stop()
    }
  })

  const send = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${baseUrl()}/v1${path}`, {
      method: 'POST',
      headers: {
        'x-api-key': token,
        'anthropic-version': VERSION,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
    })

  test('answers itself, unaltered in both directions, and wakes no agent', async ({ assert }) => {
    upstream.reply = json(200, MESSAGE)
    const request = { ...hello, system: 'Be brief.', thinking: { type: 'enabled' }, top_k: 5 }
    const answer = await send('/messages?beta=true', request, { 'anthropic-beta': 'tools-2026' })

    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), MESSAGE)
    const [{ url, headers, body }] = upstream.calls
    assert.deepEqual(JSON.parse(body), { ...request, model: 'sonnet' })
    assert.equal(url, '/v1/messages')
    assert.equal(headers['x-api-key'], KEY)
    assert.equal(headers['anthropic-version'], VERSION)
    assert.equal(headers['anthropic-beta'], 'tools-2026')
    assert.notInclude(JSON.stringify(upstream.calls), token)
    assert.isEmpty(surface.waker.woken)
  })

  test('takes the access token as Bearer too, and no other', async ({ assert }) => {
    upstream.reply = json(200, MESSAGE)
    const bearer = { 'x-api-key': '', 'authorization': `Bearer ${token}` }
    assert.equal((await send('/messages', hello, bearer)).status, 200)
    const refused = await send('/messages', hello, { 'x-api-key': 'sk-ant-of-someone' })
    assert.equal(refused.status, 401)
    assert.containsSubset(await refused.json(), {
      type: 'error',
      error: { type: 'authentication_error' },
    })
    assert.lengthOf(upstream.calls, 1)
  })

  test('streams as the provider writes', async ({ assert }) => {
    const events = encoded([...EVENTS, { type: 'message_stop' }])
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(events.slice(0, 200))
      setImmediate(() => response.end(events.slice(200)))
    }
    const answer = await send('/messages', { ...hello, stream: true })
    assert.match(answer.headers.get('content-type')!, /^text\/event-stream/)
    assert.equal(await answer.text(), events)
  })

  test('ends a stream that breaks off with an error', async ({ assert }) => {
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(encoded(EVENTS))
      setTimeout(() => response.destroy(), 50)
    }
    const answer = await send('/messages', { ...hello, stream: true })
    const text = await answer.text()
    assert.isTrue(text.startsWith(encoded(EVENTS)))
    const told = JSON.parse(/event: error\ndata: (.+)\n\n$/.exec(text)![1])
    assert.equal(told.type, 'error')
    assert.equal(told.error.type, 'api_error')
    assert.match(told.error.message, /claude broke off/)
  })

  test('counts tokens, which uses none', async ({ assert, cleanup }) => {
    const meter = await app.container.make('usage.meter')
    const counted: unknown[] = []
    const tokens = meter.tokens.bind(meter)
    meter.tokens = (_owner, usage) => void counted.push(usage)
    cleanup(() => void (meter.tokens = tokens))
    upstream.reply = json(200, { input_tokens: 14 })
    const answer = await send('/messages/count_tokens', hello)
    assert.deepEqual(await answer.json(), { input_tokens: 14 })
    assert.equal(upstream.calls[0].url, '/v1/messages/count_tokens')
    upstream.reply = json(200, MESSAGE)
    await (await send('/messages', hello)).json()
    assert.deepEqual(counted, [{ in: 3, out: 4 }])
  })

  for (const stream of [false, true]) {
    test(`tells a failure by its kind, ${stream ? 'in' : 'without'} a stream: {0}`)
      .with(FAILURES)
      .run(async ({ assert }, [status, type, told, toldType]) => {
        const error = { type: 'error', error: { type, message: 'No.' } }
        upstream.reply = json(status, error, { 'retry-after': '17' })
        const answer = await send('/messages', { ...hello, stream })
        assert.equal(answer.status, told)
        assert.containsSubset(await answer.json(), { type: 'error', error: { type: toldType } })
        const waits = told === 429
        assert.equal(answer.headers.get('retry-after'), waits ? '17' : null)
      })
  }

  test('says who to ask where a model has another API: {model}')
    .with([
      { model: 'work/gpt', path: '/messages', includes: '/v1/chat/completions' },
      { model: 'openclaw', path: '/messages', includes: '/v1/chat/completions' },
      { model: 'openclaw/claude/sonnet', path: '/messages', includes: '/v1/chat/completions' },
      { model: 'claude/sonnet', path: '/chat/completions', includes: '/v1/messages' },
    ])
    .run(async ({ assert }, { model, path, includes }) => {
      const bearer = { authorization: `Bearer ${token}` }
      const answer = await send(path, { ...hello, model }, bearer)
      assert.equal(answer.status, 400)
      assert.include(((await answer.json()) as any).error.message, includes)
      assert.isEmpty(upstream.calls)
      assert.isEmpty(surface.waker.woken)
    })

  test('no one else’s provider answers, nor a model that is not listed', async ({ assert }) => {
    const stranger = await userWithToken()
    const answers = [
      await send('/messages', hello, { 'x-api-key': stranger.token }),
      await send('/messages', { ...hello, model: 'claude/none' }),
      await send('/messages', { ...hello, model: 'claude-sonnet-4' }),
    ]
    for (const answer of answers) {
      assert.equal(answer.status, 404)
      assert.containsSubset(await answer.json(), { error: { type: 'not_found_error' } })
    }
    assert.isEmpty(upstream.calls)
  })
})

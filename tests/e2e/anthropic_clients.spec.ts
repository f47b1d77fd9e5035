import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { allowLoopback } from '#tests/allow_loopback'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { clientPackage } from '#tests/e2e/clients/packages'
import { CITY, PARAMETERS, PIXEL, resultOf } from '#tests/e2e/clients/sdk'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'
import { providerOf } from '#tests/functional/openclaw/agent'

const USAGE = { input_tokens: 11, output_tokens: 7 }

const messageOf = (content: object[], stop_reason = 'end_turn') => ({
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'sonnet', stop_sequence: null },
  ...{ content, stop_reason, usage: USAGE },
})
const hello = messageOf([{ type: 'text', text: 'Hello there.' }])

/** The events of a message of one text. */
const eventsOf = (text: string) => [
  { type: 'message_start', message: { ...messageOf([]), stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
]
const ENDING = [
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: USAGE },
  { type: 'message_stop' },
]
const encoded = (events: { type: string }[]) =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

test.group("Anthropic's client and a model itself", (group) => {
  let upstream: LoopbackProvider
  let surface: ReturnType<typeof scriptedSurface>
  let client: any

  const ask = {
    model: 'claude/sonnet',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Good morning' }] as any[],
  }
  const sent = () => JSON.parse(upstream.calls.at(-1)!.body)

  group.setup(() => testUtils.db().truncate())
  group.setup(allowLoopback)
  group.each.setup(async () => {
    upstream = await new LoopbackProvider().start()
    upstream.reply = json(200, hello)
    surface = scriptedSurface({ models: { 'mosaic-claude': ['sonnet'] } })
    const { user, token } = await userWithToken()
    const values = { name: 'claude', type: 'anthropic', apiType: 'anthropic-messages' }
    await providerOf(user.id, { ...values, baseUrl: upstream.url }, 'sk-ant-canary')
    const { default: Anthropic } = await clientPackage('@anthropic-ai/sdk')
    client = new Anthropic({ baseURL: baseUrl(), apiKey: token, maxRetries: 0 })
    return async () => {
      await surface.restore()
      await upstream.stop()
    }
  })

  test('streams, with usage', async ({ assert }) => {
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(encoded([...eventsOf('Hello there.'), ...ENDING]))
    }
    const pieces: string[] = []
    const stream = client.messages.stream(ask).on('text', (text: string) => pieces.push(text))
    const { content, usage } = await stream.finalMessage()
    assert.deepEqual([pieces, content[0].text], [['Hello there.'], 'Hello there.'])
    assert.containsSubset(usage, USAGE)
  })

  test('answers whole, with usage', async ({ assert }) => {
    const { content, usage } = await client.messages.create(ask)
    assert.equal(content[0].text, 'Hello there.')
    assert.containsSubset(usage, USAGE)
  })

  test('aborts', async ({ assert }) => {
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(encoded(eventsOf('It was a dark and ')))
    }
    const stream = client.messages.stream(ask)
    stream.on('text', () => stream.abort())
    await assert.rejects(() => stream.finalMessage())
    await upstream.abandoned.promise
  })

  test('runs its tools, two at once', async ({ assert }) => {
    const names = ['read', 'get_weather']
    const calls = names.map((name) => ({ type: 'tool_use', id: name, name, input: { path: 'a' } }))
    upstream.reply = json(200, messageOf(calls, 'tool_use'))
    const tools = names.map((name) => ({ name, input_schema: PARAMETERS }))
    const { content } = await client.messages.create({ ...ask, tools })
    assert.deepEqual(sent().tools, tools)

    upstream.reply = json(200, hello)
    const results = content.map(({ id, name }: any) => ({
      ...{ type: 'tool_result', tool_use_id: id, content: resultOf(name) },
    }))
    const messages = [
      ...ask.messages,
      { role: 'assistant', content },
      { role: 'user', content: results },
    ]
    await client.messages.create({ ...ask, tools, messages })
    assert.deepEqual(sent().messages, messages)
  })

  test('shows an image', async ({ assert }) => {
    const data = PIXEL.split(',')[1]
    const source = { type: 'base64', media_type: 'image/png', data }
    const messages = [{ role: 'user', content: [{ type: 'image', source }] }]
    await client.messages.create({ ...ask, messages })
    assert.deepEqual(sent().messages, messages)
  })

  test('gets an object of a schema', async ({ assert }) => {
    upstream.reply = json(200, messageOf([{ type: 'text', text: '{"city":"Paris"}' }]))
    const output_config = { format: { type: 'json_schema', schema: CITY } }
    const { content } = await client.messages.create({ ...ask, output_config })
    assert.deepEqual(JSON.parse(content[0].text), { city: 'Paris' })
    assert.deepEqual(sent().output_config, output_config)
  })

  test('counts tokens', async ({ assert }) => {
    upstream.reply = json(200, { input_tokens: 14 })
    const { model, messages } = ask
    assert.deepEqual(await client.messages.countTokens({ model, messages }), { input_tokens: 14 })
  })

  test('reads a {$self} of the provider')
    .with([401, 429, 529])
    .run(async ({ assert }, status) => {
      upstream.reply = json(status, { type: 'error', error: { type: 'x', message: 'Busy.' } })
      for (const stream of [false, true]) {
        const failure = await client.messages
          .create({ ...ask, stream })
          .catch((error: any) => error)
        assert.equal(failure.status, status)
        assert.isString(failure.error.error.message)
      }
    })

  test('tries again after a {$self}')
    .with([429, 503, 529])
    .run(async ({ assert }, status) => {
      const busy = { type: 'error', error: { type: 'overloaded_error', message: 'Busy.' } }
      upstream.reply = (response, call) =>
        upstream.calls.length === 1
          ? json(status, busy, { 'retry-after': '1' })(response, call)
          : json(200, hello)(response, call)
      const { content } = await client.messages.create(ask, { maxRetries: 2 })
      assert.equal(content[0].text, 'Hello there.')
      assert.lengthOf(upstream.calls, 2)
    })
})

import OpenAI from 'openai'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { DirectModels } from '#chat/direct_models'
import { API_TIMING } from '#chat/openai_chat'
import { allowLoopback } from '#tests/allow_loopback'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { failureOf } from '#tests/doubles/openai_failure'
import { providerOf } from '#tests/functional/openclaw/agent'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

const KEY = 'sk-canary-3d51e0aa'
const hello = [{ role: 'user' as const, content: 'Hello' }]
const model = 'work/gpt-5.4'

const COMPLETION = {
  id: 'chatcmpl_7',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5.4-2026-03-01',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: ' <think>kept</think> MEDIA: too ' },
      finish_reason: 'stop',
      logprobs: { content: [] },
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
}

/** Failures of a provider, and the status and code that the client must get. */
const FAILURES: [status: number, body: object, told: number, code: string][] = [
  [
    401,
    { error: { message: 'Incorrect API key', code: 'invalid_api_key' } },
    401,
    'E_MODEL_UNAUTHORIZED',
  ],
  [402, { error: { message: 'Payment required' } }, 402, 'E_MODEL_BILLING'],
  [404, { error: { message: 'No such model', code: 'model_not_found' } }, 404, 'model_not_found'],
  [429, { error: { message: 'Slow down' } }, 429, 'rate_limit_exceeded'],
  [400, { error: { message: 'Invalid stop' } }, 400, 'E_MODEL_BAD_REQUEST'],
  [500, { error: { message: 'Oops' } }, 500, 'E_MODEL_BAD_RESPONSE'],
  [503, { error: { message: 'Overloaded' } }, 503, 'E_MODEL_BAD_RESPONSE'],
]

test.group('A model by its own name', (group) => {
  let upstream: LoopbackProvider
  let surface: ReturnType<typeof scriptedSurface>
  let client: OpenAI
  let userId: string
  let token: string

  group.setup(() => testUtils.db().truncate())
  group.setup(allowLoopback)
  group.each.setup(async () => {
    upstream = await new LoopbackProvider().start()
    surface = scriptedSurface({
      models: { 'mosaic-work': ['gpt-5.4', '模型'], 'mosaic-claude': ['sonnet'] },
      timing: { openAfterMs: 10_000, heartbeatMs: 10_000 },
    })
    const owner = await userWithToken()
    userId = owner.user.id
    token = owner.token
    client = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey: token, maxRetries: 0 })
    const baseUrlOf = `${upstream.url}/v1`
    await providerOf(userId, { name: 'work', type: 'custom', baseUrl: baseUrlOf }, KEY)
    return async () => {
      await surface.restore()
      await upstream.stop()
    }
  })

  const sent = () => JSON.parse(upstream.calls[0].body)

  test('answers itself, unaltered in both directions, and wakes no agent', async ({ assert }) => {
    upstream.reply = json(200, COMPLETION, { 'set-cookie': 'a=b' })
    const messages = [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'read', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: '42' },
    ]
    const request = {
      messages,
      n: 2,
      logprobs: true,
      reasoning_effort: 'low',
      user: 'someone',
      max_tokens: null,
    }
    const answer = await client.chat.completions.create({ model, ...request } as any)

    assert.deepEqual(sent(), { model: 'gpt-5.4', ...request })
    assert.deepEqual(JSON.parse(JSON.stringify(answer)), COMPLETION)
    const [{ url, headers }] = upstream.calls
    assert.equal(url, '/v1/chat/completions')
    assert.equal(headers.authorization, `Bearer ${KEY}`)
    assert.notInclude(JSON.stringify(upstream.calls), token)
    assert.isEmpty(surface.waker.woken)
  })

  test('streams as the provider writes', async ({ assert }) => {
    const events = ['data: {"choices":[{"delta":{"content":"a"}}]}\n\n', 'data: [DONE]\n\n']
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(events[0].slice(0, 20))
      setImmediate(() => response.end(events[0].slice(20) + events[1]))
    }
    const answer = await fetch(`${baseUrl()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream: true, messages: hello }),
    })
    assert.equal(await answer.text(), events.join(''))
    assert.match(answer.headers.get('content-type')!, /^text\/event-stream/)
  })

  for (const stream of [false, true]) {
    test(`tells a failure by its kind, ${stream ? 'in' : 'without'} a stream: {0}`)
      .with(FAILURES)
      .run(async ({ assert }, [status, body, told, code]) => {
        upstream.reply = json(status, body, { 'retry-after': '17' })
        const failure = await failureOf(
          client.chat.completions.create({ model, stream, messages: hello })
        )
        assert.equal(failure.status, told)
        assert.equal(failure.code, code)
        assert.notInclude(failure.message, KEY)
        const waits = told === 429 || told === 503
        assert.equal(failure.headers?.get('retry-after') ?? null, waits ? '17' : null)
      })
  }

  test('names a time to wait where the provider named none', async ({ assert }) => {
    for (const status of [429, 503]) {
      upstream.reply = json(status, { error: { message: 'Slow down' } })
      const failure = await failureOf(client.chat.completions.create({ model, messages: hello }))
      assert.equal(failure.status, status)
      assert.equal(failure.headers?.get('retry-after'), '5')
    }
  })

  test('a provider that cannot be reached is a 502', async ({ assert }) => {
    await upstream.stop()
    const failure = await failureOf(client.chat.completions.create({ model, messages: hello }))
    assert.equal(failure.status, 502)
    assert.equal(failure.code, 'E_MODEL_UNREACHABLE')
    upstream = await new LoopbackProvider().start()
  })

  test('a stream that breaks off ends with an error', async ({ assert }) => {
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"choices":[{"delta":{"content":"Half"}}]}\n\n')
      setTimeout(() => response.destroy(), 50)
    }
    const stream = await client.chat.completions.create({ model, stream: true, messages: hello })
    let text = ''
    const failure = await failureOf(
      (async () => {
        for await (const chunk of stream) text += chunk.choices[0].delta.content
      })()
    )
    assert.equal(text, 'Half')
    assert.match(failure.message, /work broke off/)
  })

  test('a whole answer to a stream that is open already ends it with an error', async ({
    assert,
  }) => {
    upstream.reply = (response, request) =>
      void setTimeout(() => json(200, COMPLETION)(response, request), 200)
    const hasty = new DirectModels(
      await app.container.make('llm_relay.targets'),
      await app.container.make('llm_relay'),
      () => {},
      { openAfterMs: 20, heartbeatMs: 10_000 }
    )
    app.container.swap(DirectModels, () => hasty)
    try {
      const stream = await client.chat.completions.create({ model, stream: true, messages: hello })
      const failure = await failureOf(
        (async () => {
          for await (const _chunk of stream);
        })()
      )
      assert.match(failure.message, /asked for a stream/)
    } finally {
      app.container.restore(DirectModels)
    }
  })

  test('a client that leaves ends the call', async ({ assert }) => {
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
    }
    const stream = await client.chat.completions.create({ model, stream: true, messages: hello })
    for await (const _chunk of stream) stream.controller.abort()
    await upstream.abandoned.promise
    assert.isEmpty(surface.reported)
  })

  test('a stop of Mosaic lets an answer end for a while, then ends it', async ({ assert }) => {
    const begun = Promise.withResolvers<void>()
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
      begun.resolve()
    }
    const stopping = new DirectModels(
      await app.container.make('llm_relay.targets'),
      await app.container.make('llm_relay'),
      () => {},
      API_TIMING
    )
    app.container.swap(DirectModels, () => stopping)
    try {
      const stream = await client.chat.completions.create({ model, stream: true, messages: hello })
      await begun.promise
      const read = (async () => {
        for await (const _chunk of stream);
      })()
      const failed = failureOf(read)
      await stopping.drain(20)
      assert.equal((await failed).code, 'E_MOSAIC_STOPPING')
      const late = await failureOf(client.chat.completions.create({ model, messages: hello }))
      assert.equal(late.status, 503)
    } finally {
      app.container.restore(DirectModels)
    }
  })

  test('a silence is broken soon enough for a client that waits five seconds', ({ assert }) => {
    assert.isAtMost(API_TIMING.openAfterMs, 4000)
    assert.isAtMost(API_TIMING.heartbeatMs, 4000)
  })

  test('tokens are counted for the owner', async ({ assert }) => {
    upstream.reply = json(200, COMPLETION)
    const meter = await app.container.make('usage.meter')
    const counted: unknown[] = []
    const tokens = meter.tokens.bind(meter)
    meter.tokens = (owner, usage) => void counted.push([owner, usage])
    try {
      await client.chat.completions.create({ model, messages: hello })
    } finally {
      meter.tokens = tokens
    }
    assert.deepEqual(counted, [[userId, { in: 3, out: 4 }]])
  })

  test('its failure is none of the agent’s', async ({ assert }) => {
    upstream.reply = json(401, { error: { message: 'no' } })
    await failureOf(client.chat.completions.create({ model, messages: hello }))
    const failures = await app.container.make('llm_relay.failures')
    assert.isNull(failures.last(`user/${userId}`))
  })

  test('no one else’s provider answers, nor a model that is not listed', async ({ assert }) => {
    const stranger = await userWithToken()
    const theirs = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey: stranger.token, maxRetries: 0 })
    const failures = [
      await failureOf(theirs.chat.completions.create({ model, messages: hello })),
      await failureOf(client.chat.completions.create({ model: 'work/none', messages: hello })),
      await failureOf(theirs.embeddings.create({ model: 'work/ada', input: 'x' })),
    ]
    for (const failure of failures) {
      assert.equal(failure.status, 404)
      assert.equal(failure.code, 'model_not_found')
    }
    assert.isEmpty(upstream.calls)
  })

  test('one that speaks another language is refused with what to ask for', async ({ assert }) => {
    const values = { name: 'claude', type: 'anthropic', apiType: 'anthropic-messages' }
    await providerOf(userId, { ...values, baseUrl: upstream.url }, KEY)
    const failure = await failureOf(
      client.chat.completions.create({ model: 'claude/sonnet', messages: hello })
    )
    assert.equal(failure.status, 400)
    assert.include(failure.message, '"openclaw/claude/sonnet"')
    assert.isEmpty(upstream.calls)
  })

  test('the demo model answers in place', async ({ assert }) => {
    await surface.restore()
    surface = scriptedSurface({ models: { 'mosaic-demo': ['echo'] } })
    await providerOf(userId, { name: 'demo', type: 'demo', baseUrl: null }, null)
    const answer = await client.chat.completions.create({ model: 'demo/echo', messages: hello })
    assert.include(answer.choices[0].message.content, 'Hello')
  })

  test('takes the Responses API and embeddings', async ({ assert }) => {
    upstream.reply = json(200, {
      id: 'resp_1',
      object: 'response',
      status: 'completed',
      output: [],
    })
    const answer = await client.responses.create({ model, input: 'Hello', reasoning: null } as any)
    assert.equal(answer.id, 'resp_1')
    upstream.reply = json(200, { object: 'list', data: [{ index: 0, embedding: [1, 2] }] })
    const vectors = await client.embeddings.create({
      model: 'work/ada',
      input: ['a', 'b'],
      encoding_format: 'float',
    })
    assert.deepEqual(vectors.data[0].embedding, [1, 2])
    assert.deepEqual(
      upstream.calls.map(({ url, body }) => [url, JSON.parse(body).model]),
      [
        ['/v1/responses', 'gpt-5.4'],
        ['/v1/embeddings', 'ada'],
      ]
    )
  })

  test('the agent makes no embeddings, and says what does', async ({ assert }) => {
    const failure = await failureOf(client.embeddings.create({ model: 'openclaw', input: 'x' }))
    assert.equal(failure.status, 400)
    assert.include(failure.message, '<provider>/<model>')
    assert.isEmpty(surface.waker.woken)
  })
})

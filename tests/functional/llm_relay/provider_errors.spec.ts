import { brotliCompressSync, gzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { allowLoopback } from '#tests/allow_loopback'
import { agentOfSomeone, internalUrl, providerOf } from '#tests/functional/openclaw/agent'
import { json, LoopbackProvider, type Reply } from '#tests/functional/llm_relay/loopback_provider'

const error = (message: string, code: string | null = null) => ({ error: { message, code } })

/** A stream of events, named by their type where they have one. */
const events = (...all: Record<string, unknown>[]) =>
  json(
    200,
    all
      .map((data) => `${data.type ? `event: ${data.type}\n` : ''}data: ${JSON.stringify(data)}\n\n`)
      .join(''),
    { 'content-type': 'text/event-stream' }
  )

/** Provider responses, and what the agent and its user get instead. */
const TABLE: { name: string; reply: Reply; status?: number; reason: string; says: RegExp }[] = [
  {
    name: '401',
    reply: json(401, error('Incorrect API key')),
    reason: 'unauthorized',
    says: /^The key of work-openai was refused\.$/,
  },
  {
    name: '403',
    reply: json(403, error('Forbidden')),
    reason: 'unauthorized',
    says: /key of work-openai/,
  },
  {
    name: '402',
    reply: json(402, error('Payment required')),
    reason: 'billing',
    says: /no credit/,
  },
  {
    name: '429 for want of credit',
    reply: json(429, error('You exceeded your current quota', 'insufficient_quota')),
    reason: 'billing',
    says: /no credit/,
  },
  {
    name: '400 for want of credit',
    reply: json(400, error('Your credit balance is too low to access the API')),
    reason: 'billing',
    says: /no credit/,
  },
  {
    name: '429',
    reply: json(429, error('Slow down'), { 'retry-after': '5' }),
    reason: 'rate_limited',
    says: /rate limit/,
  },
  {
    name: '500',
    reply: json(500, '<oops>'),
    reason: 'bad_response',
    says: /error of its own \(500\)/,
  },
  {
    name: '503',
    reply: json(503, error('Overloaded')),
    reason: 'bad_response',
    says: /\(503\)/,
  },
  {
    name: '404',
    reply: json(404, error('The model gpt-9 does not exist')),
    reason: 'not_found',
    says: /does not know this model.*gpt-9/,
  },
  {
    name: 'a redirect',
    reply: json(302, '', { location: 'http://127.0.0.1:1/' }),
    reason: 'bad_response',
    says: /\(302\)/,
  },
  {
    name: 'a page',
    reply: json(200, '<html>', { 'content-type': 'text/html' }),
    reason: 'bad_response',
    says: /work-openai/,
  },
  ...['', '  \n', ': only a comment\n\n', '<!doctype html><title>Sign in</title>'].map((body) => ({
    name: `an answer without a message: ${JSON.stringify(body)}`,
    reply: json(200, body, { 'content-type': 'text/plain' }),
    reason: 'bad_response',
    says: /work-openai/,
  })),
  {
    name: 'an error as the first frame of a stream',
    reply: json(
      200,
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n',
      {
        'content-type': 'text/event-stream',
      }
    ),
    reason: 'bad_response',
    says: /work-openai/,
  },
  {
    name: 'a page in capitals',
    reply: json(200, '<HTML>', { 'content-type': 'TEXT/HTML; Charset=UTF-8' }),
    reason: 'bad_response',
    says: /work-openai/,
  },
  {
    name: 'an error after comments and a ping, in pieces',
    reply: (response) => {
      const pieces = [
        ': PROCESSING\n\n',
        ': PROCESSING\n\nevent: ping\ndata: {"type": "ping"}\n\n',
        'id: 1\ndata: {"id":"gen-1","object":"chat.completion.chunk",',
        '"choices":[],"error":{"code":402,"message":"More is needed"}}\r\n\r\n',
      ]
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const next = () => {
        const piece = pieces.shift()
        if (piece) response.write(piece, () => setImmediate(next))
      }
      next()
    },
    reason: 'billing',
    says: /no credit/,
  },
  {
    name: 'an error that is written on many lines, with other keys before it',
    reply: json(
      200,
      JSON.stringify({ id: 'x', object: 'y', error: { type: 'authentication_error' } }, null, 2)
    ),
    reason: 'unauthorized',
    says: /key of work-openai/,
  },
  {
    name: 'an error in a list, without a type of its content',
    reply: (response) => {
      response.writeHead(200)
      response.end('\n[ {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}} ]')
    },
    reason: 'rate_limited',
    says: /rate limit/,
  },
  {
    name: 'an error of the Responses API',
    reply: json(
      200,
      'event: response.failed\ndata: {"type":"response.failed","response":{"error":{"code":"insufficient_quota","message":"No."}}}\n\n',
      { 'content-type': 'text/event-stream' }
    ),
    reason: 'billing',
    says: /no credit/,
  },
  {
    name: 'an error of the Responses API after its opening events, however long',
    reply: events(
      { type: 'response.created', response: { error: null, instructions: 'x'.repeat(100_000) } },
      {
        type: 'response.in_progress',
        response: { error: null, instructions: 'x'.repeat(100_000) },
      },
      { type: 'response.failed', response: { error: { code: 'insufficient_quota' } } }
    ),
    reason: 'billing',
    says: /no credit/,
  },
  {
    name: 'an error of Anthropic after its opening event',
    reply: events(
      { type: 'message_start', message: { content: [], usage: { input_tokens: 9 } } },
      { type: 'ping' },
      { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down' } }
    ),
    reason: 'rate_limited',
    says: /rate limit/,
  },
  {
    name: 'an error after a chunk that only names the role',
    reply: events(
      { choices: [], prompt_filter_results: [] },
      { choices: [{ delta: { role: 'assistant', content: '' }, finish_reason: null }] },
      { error: { code: 402, message: 'More is needed' } }
    ),
    reason: 'billing',
    says: /no credit/,
  },
  {
    name: 'a compressed error',
    reply: (response) => {
      response.writeHead(400, { 'content-encoding': 'gzip' })
      response.end(gzipSync('{"error":{"code":"invalid_api_key","message":"No."}}'))
    },
    reason: 'unauthorized',
    says: /key of work-openai/,
  },
  {
    name: 'a compressed error as the first frame of a stream',
    reply: (response) => {
      response.writeHead(200, { 'content-encoding': 'br' })
      response.end(brotliCompressSync('data: {"error":{"type":"rate_limit_error"}}\n\n'))
    },
    reason: 'rate_limited',
    says: /rate limit/,
  },
  {
    name: 'too long a conversation, within a stream',
    reply: json(200, 'data: {"error":{"code":400,"message":"prompt is too long"}}\n\n', {
      'content-type': 'text/event-stream',
    }),
    status: 400,
    reason: 'context_length',
    says: /too long/,
  },
  {
    name: 'a connection reset before the headers',
    reply: (response) => response.socket!.resetAndDestroy(),
    reason: 'unreachable',
    says: /cannot be reached/,
  },
  {
    name: 'a connection reset before the first byte',
    reply: (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      setImmediate(() => response.socket!.resetAndDestroy())
    },
    reason: 'unreachable',
    says: /cannot be reached/,
  },
  {
    name: 'a conversation that is too long',
    reply: json(400, error('maximum context length is 8192', 'context_length_exceeded')),
    status: 400,
    reason: 'context_length',
    says: /too long/,
  },
  {
    name: 'a call that it finds wrong',
    reply: json(422, error('temperature must be 1')),
    status: 422,
    reason: 'bad_request',
    says: /refused the call\. It says: temperature must be 1/,
  },
]

test.group('A provider fails an agent', (group) => {
  let upstream: LoopbackProvider

  group.setup(allowLoopback)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    upstream = await new LoopbackProvider().start()
    return () => upstream.stop()
  })

  async function callOf(baseUrl = upstream.url) {
    const { user, token } = await agentOfSomeone()
    const provider = await providerOf(user.id, { name: 'work-openai', type: 'custom', baseUrl })
    const call = () =>
      fetch(`${internalUrl()}/api/internal/llm/${provider.id}/chat/completions`, {
        method: 'POST',
        headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
      })
    const failures = await app.container.make('llm_relay.failures')
    return { call, last: (since?: Date) => failures.last(`user/${user.id}`, since) }
  }

  for (const { name, reply, status = 404, reason, says } of TABLE) {
    test(`with ${name}`, async ({ assert }) => {
      upstream.reply = reply
      const { call, last } = await callOf()
      const response = await call()
      assert.equal(response.status, status)
      assert.isNull(response.headers.get('retry-after'))
      if (status === 404) {
        const body = (await response.json()) as any
        assert.equal(body.error.code, 'model_not_found')
        assert.match(body.error.message, says)
      }
      assert.equal(last()!.reason, reason)
      assert.equal(last()!.provider, 'work-openai')
      assert.match(last()!.message, says)
    })
  }

  test('and names a time to wait in a header or, as Gemini does, in the error', async ({
    assert,
  }) => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', 'retryDelay': '38.8s' }]
    const limited = { error: { code: 429, status: 'RESOURCE_EXHAUSTED', details } }
    for (const [reply, seconds] of [
      [json(429, limited), 39],
      [json(200, [limited]), 39],
      [json(429, limited, { 'retry-after': '5' }), 5],
      [json(200, limited, { 'retry-after': '5' }), 5],
      [json(429, { error: { code: 429, details: [{ retryDelay: 'soon' }] } }), undefined],
    ] as const) {
      upstream.reply = reply
      const { call, last } = await callOf()
      await call()
      assert.equal(last()!.retryAfterSec, seconds)
    }
  })

  test('or only speaks of an error, which is no failure', async ({ assert }) => {
    for (const answer of [
      'data: {"choices":[{"delta":{"content":"{\\"error\\":{\\"code\\":402}}"}}],"error":null}\n\n',
      '{"id":"1","error":null,"choices":[{"message":{"content":"billing: insufficient_quota"}}]}',
      '{"choices":[{"message":{"content":"Hi"}}],"error":{"code":"","message":"","param":null}}',
      '{"content":[{"type":"text","text":"Hi"}],"error":{"code":0,"message":""}}',
      'data: {"choices":[{"delta":{"content":"Hi"}}],"error":{"code":0,"message":""}}\n\n',
      'a text',
    ]) {
      upstream.reply = json(200, answer, { 'content-type': 'text/event-stream' })
      const { call, last } = await callOf()
      const response = await call()
      assert.equal(response.status, 200)
      assert.equal(await response.text(), answer)
      assert.isNull(last())
    }
  })

  test('by refusing the connection', async ({ assert }) => {
    const { call, last } = await callOf('http://127.0.0.1:9/v1')
    assert.equal((await call()).status, 404)
    assert.equal(last()!.reason, 'unreachable')
  })

  test('by breaking off in the middle: the stream ends early, and the user is told why', async ({
    assert,
  }) => {
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n', () => setImmediate(() => response.socket!.resetAndDestroy()))
    }
    const { call, last } = await callOf()
    const response = await call()
    assert.equal(response.status, 200)
    await assert.rejects(() => response.text())
    assert.match(last()!.message, /broke off/)
  })

  test('by an error in the middle, which the agent sees and the user is told', async ({
    assert,
  }) => {
    for (const said of [
      { choices: [{ delta: { content: 'Hi' } }] },
      { choices: [{ delta: { reasoning_content: 'So' } }] },
      { choices: [{ delta: { tool_calls: [{ index: 0 }] } }] },
      { type: 'response.output_text.delta', delta: 'Hi' },
    ]) {
      upstream.reply = events(said, { type: 'error', error: { type: 'rate_limit_error' } })
      const { call, last } = await callOf()
      const response = await call()
      assert.equal(response.status, 200)
      assert.include(await response.text(), 'rate_limit_error')
      assert.equal(last()!.reason, 'rate_limited')
    }
  })

  test('and the reason stays until the turn is over, whatever other calls succeed', async ({
    assert,
  }) => {
    upstream.reply = json(500, '')
    const { call, last } = await callOf()
    await call()
    assert.isNotNull(last())
    assert.isNull(last(new Date(Date.now() + 1000)))
    upstream.reply = json(200, '{}')
    await call()
    assert.isNotNull(last())
  })
})

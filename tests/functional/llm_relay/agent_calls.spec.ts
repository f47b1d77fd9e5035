import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { createId } from '#models/row_id'
import SystemContainer from '#models/system_container'
import { allowLoopback } from '#tests/allow_loopback'
import { agentOfSomeone, internalUrl, providerOf } from '#tests/functional/openclaw/agent'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'

const KEY = 'sk-canary-9a4b7711'

/** Calls that agents make to each kind of provider, and how the key must arrive there. */
const FAMILIES = [
  {
    type: 'openai',
    apiType: 'openai-responses',
    base: '/v1',
    path: '/responses',
    key: ['authorization', `Bearer ${KEY}`],
  },
  {
    type: 'custom',
    apiType: 'openai-completions',
    base: '/v1',
    path: '/chat/completions',
    key: ['authorization', `Bearer ${KEY}`],
  },
  {
    type: 'zai',
    apiType: 'openai-completions',
    base: '/api/paas/v4',
    path: '/chat/completions',
    key: ['authorization', `Bearer ${KEY}`],
  },
  {
    type: 'anthropic',
    apiType: 'anthropic-messages',
    base: '',
    path: '/v1/messages',
    key: ['x-api-key', KEY],
  },
  {
    type: 'ollama',
    apiType: 'ollama',
    base: '',
    path: '/api/chat',
    key: ['authorization', `Bearer ${KEY}`],
  },
] as const

test.group('An agent calls a model', (group) => {
  let upstream: LoopbackProvider

  group.setup(allowLoopback)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    upstream = await new LoopbackProvider().start()
    return () => upstream.stop()
  })

  async function scene(values: Parameters<typeof providerOf>[1] = {}) {
    const { user, token } = await agentOfSomeone()
    const provider = await providerOf(
      user.id,
      { name: 'work', type: 'custom', baseUrl: `${upstream.url}/v1`, ...values },
      KEY
    )
    const call = (path = '/chat/completions', init: RequestInit = {}, shown = token) =>
      fetch(`${internalUrl()}/api/internal/llm/${provider.id}${path}`, {
        method: 'POST',
        body: '{"model":"test-model"}',
        ...init,
        headers: {
          'authorization': `Bearer ${shown}`,
          'content-type': 'application/json',
          ...init.headers,
        },
      })
    const failure = async () =>
      (await app.container.make('llm_relay.failures')).last(`user/${user.id}`)
    return { user, token, provider, call, failure }
  }

  for (const { type, apiType, base, path, key } of FAMILIES) {
    test(`of a provider of type ${type}: the key arrives there, the token does not`, async ({
      assert,
    }) => {
      upstream.reply = (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': 'a=b' })
        response.write('data: one\n\n')
        response.end('data: two\n\n')
      }
      const { call, token } = await scene({ type, apiType, baseUrl: `${upstream.url}${base}` })
      const response = await call(`${path}?beta=true`, {
        headers: {
          'anthropic-version': '2023-06-01',
          'x-api-key': token,
          'cookie': 'session=1',
          'x-stainless-os': 'Linux',
        },
      })

      assert.equal(response.status, 200)
      assert.equal(await response.text(), 'data: one\n\ndata: two\n\n')
      assert.equal(response.headers.get('content-type'), 'text/event-stream')
      assert.isNull(response.headers.get('set-cookie'))
      assert.notInclude(JSON.stringify([...response.headers]), KEY)

      const [arrived] = upstream.calls
      assert.equal(arrived.url, `${base}${path}?beta=true`)
      assert.equal(arrived.body, '{"model":"test-model"}')
      assert.equal(arrived.headers[key[0]], key[1])
      assert.equal(arrived.headers['anthropic-version'], '2023-06-01')
      assert.notInclude(JSON.stringify(arrived), token)
      assert.notProperty(arrived.headers, 'cookie')
      assert.notProperty(arrived.headers, 'x-stainless-os')
    })
  }

  test('and is answered where a proxy adds its own type to the service’s', async ({ assert }) => {
    upstream.reply = (response) => {
      response.setHeader('content-type', ['text/event-stream', 'application/octet-stream'])
      response.end('data: one\n\n')
    }
    const { call } = await scene()
    const response = await call('/chat/completions')
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    assert.equal(await response.text(), 'data: one\n\n')
  })

  test('and shows its token as x-api-key, as the Anthropic family does', async ({ assert }) => {
    const { token, provider } = await scene()
    const response = await fetch(`${internalUrl()}/api/internal/llm/${provider.id}/models`, {
      headers: { 'x-api-key': token },
    })
    assert.equal(response.status, 200)
    assert.equal(upstream.calls[0].method, 'GET')
  })

  test('and gets each piece of the answer when it comes', async ({ assert }) => {
    const first = Promise.withResolvers<void>()
    upstream.reply = async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
      await first.promise
      response.end('data: two\n\n')
    }
    const { call } = await scene()
    const reader = (await call()).body!.pipeThrough(new TextDecoderStream()).getReader()
    assert.equal((await reader.read()).value, 'data: one\n\n')
    first.resolve()
    assert.equal((await reader.read()).value, 'data: two\n\n')
  })

  test('and leaves, which ends the call at the provider', async ({ assert }) => {
    upstream.reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
    }
    const { call, failure } = await scene()
    const agent = new AbortController()
    const response = await call('/chat/completions', { signal: agent.signal })
    await response.body!.getReader().read()
    agent.abort()
    await upstream.abandoned.promise
    assert.isNull(await failure())
  })

  test('and leaves before the answer began, which ends the call as well', async ({ assert }) => {
    const arrived = Promise.withResolvers<void>()
    upstream.reply = () => arrived.resolve()
    const { call, failure } = await scene()
    const agent = new AbortController()
    const answer = call('/chat/completions', { signal: agent.signal })
    await arrived.promise
    agent.abort()
    await assert.rejects(() => answer)
    await upstream.abandoned.promise
    assert.isNull(await failure())
  })

  test('of someone else, or of nobody, or with a wrong token, and gets the same 401', async ({
    assert,
  }) => {
    const mine = await scene()
    const theirs = await agentOfSomeone()
    const refused = [
      await mine.call('/models', {}, theirs.token),
      await mine.call('/models', {}, 'wrong'),
      await fetch(`${internalUrl()}/api/internal/llm/${createId()}/models`, {
        headers: { authorization: `Bearer ${mine.token}` },
      }),
    ]
    for (const response of refused) assert.equal(response.status, 401)
    const bodies = await Promise.all(refused.map((response) => response.text()))
    assert.equal(new Set(bodies).size, 1)
    assert.isEmpty(upstream.calls)
  })

  test('as a system agent: its own provider and no other of the same owner', async ({ assert }) => {
    const { user, provider } = await scene()
    const other = await providerOf(user.id, { name: 'other', baseUrl: upstream.url })
    const row = new SystemContainer()
    row.merge({ id: createId(), name: `mosaic-system-${createId()}`, role: 'monitor' })
    row.merge({ providerId: provider.id, isActive: true })
    await row.renewGatewayToken()
    await row.save()
    const authorization = `Bearer ${await row.open('gatewayToken')}`

    const ask = (id: string) =>
      fetch(`${internalUrl()}/api/internal/llm/${id}/models`, { headers: { authorization } })
    assert.equal((await ask(provider.id)).status, 200)
    assert.equal((await ask(other.id)).status, 401)
  })

  test('with a key that was changed, and the new one arrives at once', async ({ assert }) => {
    const { call, provider } = await scene()
    await call()
    await provider.seal('apiKey', 'sk-new')
    await provider.save()
    await call()
    assert.equal(upstream.calls[1].headers.authorization, 'Bearer sk-new')
  })

  test('of a provider that was switched off, and takes the next one', async ({ assert }) => {
    const { call, provider, failure } = await scene()
    await provider.merge({ isActive: false }).save()
    const response = await call()
    assert.equal(response.status, 404)
    assert.equal((await failure())!.message, 'work is switched off.')
    assert.isEmpty(upstream.calls)
  })

  test('below the address of the provider only', async ({ assert }) => {
    const { provider, token } = await scene()
    const { port, hostname } = new URL(internalUrl())
    const prefix = `/api/internal/llm/${provider.id}`
    const targets = [
      ...[
        '/../admin',
        '/%2e%2e/admin',
        '/a/..%2f..%2fx/../../../admin',
        '/chat/completions/..%2f..%2fadmin',
        '/chat/completions/%2E%2E%2F%2E%2E%2Fadmin',
        '/chat/completions/..%252f..%252fadmin',
        '/..;/admin',
        '/..%5cadmin',
        '/..\\admin',
        '//evil.example/chat/completions',
        '/http://evil.example/chat/completions',
      ].map((path) => prefix + path),
      `http://evil.example${prefix}/chat/completions`,
    ]
    for (const target of targets) {
      const socket = connect(Number(port), hostname)
      socket.write(
        `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n` +
          `Authorization: Bearer ${token}\r\n\r\n`
      )
      let answer = ''
      for await (const chunk of socket) answer += chunk
      assert.match(answer, /^HTTP\/1\.1 40[14]/)
    }
    assert.isEmpty(upstream.calls)
  })

  test('and nothing else that the same key or server would do', async ({ assert }) => {
    const ollama = await scene({ type: 'ollama', apiType: 'ollama', baseUrl: upstream.url })
    const openai = await scene()
    const refused = [
      await ollama.call('/api/delete', { method: 'DELETE' }),
      await ollama.call('/api/delete'),
      await ollama.call('/api/pull'),
      await ollama.call('/api/chat', { method: 'PUT' }),
      await openai.call('/files', { method: 'GET', body: undefined }),
      await openai.call('/models/mine', { method: 'DELETE' }),
      await openai.call('/responses'),
    ]
    for (const response of refused) {
      assert.equal(response.status, 404)
      assert.equal(((await response.json()) as any).error.code, 'model_not_found')
    }
    assert.isEmpty(upstream.calls)
    assert.equal((await openai.failure())!.message, 'Mosaic passes no POST on /responses to work.')
    assert.equal((await ollama.call('/api/chat')).status, 200)
  })

  test('and is counted where the service compresses its answer', async ({ assert, cleanup }) => {
    const answer = 'data: {"usage":{"prompt_tokens":12,"completion_tokens":3}}\n\n'
    upstream.reply = (response) => {
      response.writeHead(200, {
        'content-encoding': 'gzip',
        'content-length': String(gzipSync(answer).length),
      })
      response.end(gzipSync(answer))
    }
    const { call, user } = await scene()
    const meter = await app.container.make('usage.meter')
    const counted = Promise.withResolvers<unknown[]>()
    const tokens = meter.tokens.bind(meter)
    meter.tokens = (...told) => {
      counted.resolve(told)
      tokens(...told)
    }
    cleanup(() => void (meter.tokens = tokens))
    const response = await call()
    assert.equal(await response.text(), answer)
    assert.isNull(response.headers.get('content-encoding'))
    assert.deepEqual(await counted.promise, [user.id, { in: 12, out: 3 }])
  })

  test('on an address that is not allowed, and is told so', async ({ assert }) => {
    const { call, failure } = await scene({ baseUrl: 'http://169.254.169.254/latest' })
    const response = await call()
    assert.equal(response.status, 404)
    assert.equal((await failure())!.reason, 'blocked_address')
  })

  test('with a body that is too large', async ({ assert }) => {
    const { call } = await scene()
    const response = await call('/chat/completions', {
      body: Buffer.alloc(65 * 1024 * 1024),
    }).catch(() => null)
    /** Node may cut the connection while the client is still sending. */
    if (response) assert.equal(response.status, 413)
    assert.isEmpty(upstream.calls)
  })

  test('of the demo provider, which is inside Mosaic', async ({ assert }) => {
    const { call } = await scene({ type: 'demo', baseUrl: null })
    const response = await call('/chat/completions', {
      body: JSON.stringify({
        model: 'demo',
        stream: true,
        messages: [{ role: 'user', content: 'a parrot' }],
      }),
    })
    assert.equal(response.status, 200)
    assert.include(await response.text(), 'parrot')
  })

  test('of the primer: any agent, without a provider, and answered inside Mosaic', async ({
    assert,
  }) => {
    const { user, token } = await agentOfSomeone()
    const system = new SystemContainer()
    system.merge({ id: createId(), name: `mosaic-system-${createId()}`, role: 'monitor' })
    system.merge({ isActive: true })
    await system.renewGatewayToken()
    await system.save()
    const failures = await app.container.make('llm_relay.failures')
    failures.record(`user/${user.id}`, { provider: 'work', reason: 'billing', message: 'No.' })

    const ask = (shown: string, path = '/chat/completions') =>
      fetch(`${internalUrl()}/api/internal/llm/primer${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${shown}` },
        body: '{"model":"echo","messages":[{"role":"user","content":"Hello."}]}',
      })
    for (const shown of [token, (await system.open('gatewayToken'))!]) {
      const answer = await ask(shown)
      assert.equal(answer.status, 200)
      assert.include(await answer.text(), 'demo model')
    }
    assert.equal((await ask('wrong')).status, 401)
    for (const path of ['/../other', '//example.org/v1', '/http://example.org', '/responses']) {
      assert.include([401, 404], (await ask(token, path)).status)
    }
    assert.isEmpty(upstream.calls)
    assert.equal(failures.last(`user/${user.id}`)!.reason, 'billing')
  })

  test('and reads of an error, which never shows the key', async ({ assert }) => {
    upstream.reply = json(400, { error: { message: `Bad key ${KEY}, really` } })
    const { call, failure } = await scene()
    const response = await call()
    assert.equal(response.status, 400)
    assert.notInclude(await response.text(), KEY)
    assert.notInclude((await failure())!.message, KEY)
  })
})

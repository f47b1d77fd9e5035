import { request as httpRequest } from 'node:http'
import OpenAI from 'openai'
import { gzipSync } from 'node:zlib'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import User from '#models/user'
import testUtils from '@adonisjs/core/services/test_utils'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { failureOf } from '#tests/doubles/openai_failure'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { until } from '#tests/doubles/test_clock'

const MEGABYTE = 1024 * 1024
const PIXEL = 'data:image/png;base64,iVBORw0KGgo='
const hello = [{ role: 'user' as const, content: 'Hello' }]

const functionTool = (name: string) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: {} } },
})

test.group('The agent, for clients of OpenAI', (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let client: OpenAI
  let userId: string
  let imageBytes: number
  let token: string

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    imageBytes = 0
    surface = scriptedSurface({
      anyModelName: true,
      fetchImage: async (url, take) => (take(imageBytes), `${PIXEL}#${url}`),
      timing: { openAfterMs: 10_000, heartbeatMs: 10_000 },
    })
    surface.waker.remembered = gateway.access
    const owner = await userWithToken()
    userId = owner.user.id
    token = owner.token
    client = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey: token, maxRetries: 0 })
    return async () => {
      await surface.restore()
      await gateway.stop()
    }
  })

  const ask = (more: object = {}) =>
    client.chat.completions.create({ model: 'openclaw', messages: hello, ...more } as any)
  const whole = (message: object, finish = 'stop') => ({
    id: 'chatcmpl_1',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  })
  const fails = (reason: 'rate_limited' | 'billing' | 'not_found' | 'bad_response', more = {}) =>
    surface.failures.record(`user/${userId}`, {
      ...{ provider: 'work', reason, message: `work: ${reason}.`, ...more },
    })

  test('answers to the name that a client hard-codes, and to none with a slash', async ({
    assert,
  }) => {
    gateway.script = (reply) => reply.json(200, whole({ content: 'Hi' }))
    await ask({ model: 'gpt-4o' })
    assert.equal(gateway.requests[0].body.model, 'openclaw')
    assert.equal((await failureOf(ask({ model: 'openai/gpt-4o' }))).status, 404)
  })

  for (const stream of [false, true]) {
    const how = stream ? 'in a stream' : 'without a stream'

    test(`tells a provider’s failure by its kind, not by the gateway’s 404, ${how}`, async ({
      assert,
    }) => {
      gateway.script = (reply) => {
        fails('rate_limited', { status: 429, retryAfterSec: 21 })
        if (stream) reply.begin().fail('All models failed (1): model_not_found')
        else reply.json(404, { error: { message: 'model_not_found', type: 'not_found' } })
      }
      const failure = await failureOf(ask({ stream }))
      assert.equal(failure.status, 429)
      assert.equal(failure.headers?.get('retry-after'), '21')
      assert.equal(failure.type, 'rate_limit_error')
    })

    test(`renames a client’s tools that are the agent’s own, and back, ${how}`, async ({
      assert,
    }) => {
      const call = {
        id: 'c2',
        type: 'function',
        function: { name: 'client_Bash', arguments: '{}' },
      }
      gateway.script = (reply) => {
        if (!stream)
          return reply.json(200, whole({ content: '', tool_calls: [call] }, 'tool_calls'))
        const delta = { tool_calls: [{ index: 0, ...call }] }
        reply
          .begin()
          .event({ choices: [{ index: 0, delta, finish_reason: null }] })
          .finish()
      }
      const before = { id: 'c1', type: 'function', function: { name: 'read', arguments: '{}' } }
      const answer: any = await ask({
        stream,
        tools: ['read', 'Bash', 'get_weather', 'client_read'].map(functionTool),
        tool_choice: { type: 'function', function: { name: 'Bash' } },
        messages: [
          ...hello,
          { role: 'assistant', content: null, tool_calls: [before] },
          { role: 'tool', tool_call_id: 'c1', content: '{"name":"client_Bash"}' },
        ],
      })

      const [{ body }] = gateway.requests
      const names = body.tools.map((tool: any) => tool.function.name)
      assert.deepEqual(names, ['client_1_read', 'client_Bash', 'get_weather', 'client_read'])
      assert.equal(body.tool_choice.function.name, 'client_Bash')
      assert.equal(body.messages[1].tool_calls[0].function.name, 'client_1_read')
      assert.equal(body.messages[2].content, '{"name":"client_Bash"}')

      const calls = []
      if (!stream) calls.push(answer.choices[0].message.tool_calls[0])
      else {
        for await (const chunk of answer) calls.push(...(chunk.choices[0]?.delta.tool_calls ?? []))
      }
      assert.deepEqual(
        calls.map((one) => one.function.name),
        ['Bash']
      )
    })
  }

  test('a run that fails after its first word fails within the stream', async ({ assert }) => {
    gateway.script = (reply) => {
      fails('bad_response')
      reply.begin().say('Well, ').fail('no')
    }
    const stream: any = await ask({ stream: true })
    const failure = await failureOf(
      (async () => {
        for await (const _chunk of stream);
      })()
    )
    assert.equal(failure.code, 'E_MODEL_BAD_RESPONSE')
  })

  test('a conversation is named by a header, by metadata, then by `user`', async ({ assert }) => {
    gateway.script = (reply) => reply.json(200, whole({ content: 'Hi' }))
    const messages = [...hello, { role: 'assistant', content: 'Hi' }, ...hello]
    const metadata = { conversation_id: 'meta' }
    const headers = { 'x-conversation-id': 'head' }
    const chat = { model: 'openclaw', messages, metadata, user: 'one' } as any
    await client.chat.completions.create(chat, { headers })
    await client.chat.completions.create(chat)
    await client.chat.completions.create({ ...chat, metadata: undefined })
    assert.deepEqual(
      gateway.requests.map((one) => one.headers['x-openclaw-session-key']),
      ['api:head', 'api:meta', 'api:one']
    )
    for (const { body } of gateway.requests) {
      assert.lengthOf(body.messages, 1)
      assert.notProperty(body, 'user')
    }
  })

  test('`user` names no conversation for a token that says so', async ({ assert }) => {
    gateway.script = (reply) => reply.json(200, whole({ content: 'Hi' }))
    const owner = await User.findOrFail(userId)
    const tokens = await app.container.make('identity.tokens')
    const made = await tokens.create(owner, { name: 'chats', userNamesConversation: false })
    client = client.withOptions({ apiKey: made.value!.release() })
    await ask({ user: 'account-1' })
    await ask({ user: 'account-1', metadata: { conversation_id: 'one' } })
    const [alone, named] = gateway.requests.map((one) => one.headers['x-openclaw-session-key'])
    assert.match(String(alone), /^agent:main:dashboard:incognito-/)
    assert.equal(named, 'api:one')
  })

  test('a list that ends with an answer is no mistake', async ({ assert }) => {
    gateway.script = (reply) => reply.json(200, whole({ content: 'More' }))
    await ask({ user: 'notes', messages: [...hello, { role: 'assistant', content: 'Hi' }] })
    assert.deepEqual(gateway.requests[0].body.messages, [{ role: 'user', content: 'Continue.' }])
  })

  test('a whole history that ends with an answer asks for more of it, in both APIs', async ({
    assert,
  }) => {
    const more = { role: 'user', content: 'Continue.' }
    const messages = [...hello, { role: 'assistant', content: 'Once upon' }]
    gateway.script = (reply) => reply.json(200, whole({ content: ' a time' }))
    await ask({ messages })
    assert.deepEqual(gateway.requests[0].body.messages, [...messages, more])

    gateway.script = (reply) =>
      reply.json(200, { id: 'resp_1', object: 'response', status: 'completed', output: [] })
    await client.responses.create({ model: 'openclaw', input: messages, store: false } as any)
    const items = [...messages, more].map((message) => ({ type: 'message', ...message }))
    assert.deepEqual(gateway.requests[1].body.input, items)
  })

  test('reads images from the web and of earlier messages', async ({ assert }) => {
    gateway.script = (reply) => reply.json(200, whole({ content: 'A cat' }))
    const image = (url: string) => ({ type: 'image_url', image_url: { url } })
    await ask({
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'First' }, image(PIXEL)] },
        { role: 'assistant', content: 'A dog' },
        { role: 'user', content: [{ type: 'text', text: 'And this?' }, image('https://x.test/a')] },
      ],
    })
    const { messages } = gateway.requests[0].body
    assert.deepEqual(messages[0].content, [{ type: 'text', text: 'First' }])
    assert.deepEqual(messages[2].content, [
      { type: 'text', text: 'And this?' },
      image(PIXEL),
      image(`${PIXEL}#https://x.test/a`),
    ])
  })

  test('reads images of messages before a tool’s result or an answer: {role}')
    .with([
      { role: 'tool', last: [] },
      { role: 'assistant', last: [{ role: 'assistant', content: 'A' }] },
    ])
    .run(async ({ assert }, { last }) => {
      gateway.script = (reply) => reply.json(200, whole({ content: 'A cat' }))
      const image = { type: 'image_url', image_url: { url: PIXEL } }
      const shown = { type: 'text', text: 'What is this?' }
      const work = [
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'four legs' },
        ...last,
      ]
      await ask({ messages: [{ role: 'user', content: [shown, image] }, ...work] })
      const { messages } = gateway.requests[0].body
      assert.deepEqual(messages.slice(0, -1), [{ role: 'user', content: [shown] }, ...work])
      assert.equal(messages.at(-1).role, 'user')
      assert.deepEqual(messages.at(-1).content.at(-1), image)
    })

  test('refuses more images than an agent reads, in one message or in several', async ({
    assert,
  }) => {
    const image = { type: 'image_url', image_url: { url: PIXEL } }
    const shown = (count: number) => ({ role: 'user', content: Array(count).fill(image) })
    const between = { role: 'assistant', content: 'A dog' }
    for (const messages of [[shown(9)], [shown(8), between, shown(1)]]) {
      const refused = await failureOf(ask({ messages }))
      assert.deepEqual([refused.status, refused.code], [400, 'E_CHAT_CONTENT'])
    }
    assert.lengthOf(gateway.requests, 0)
  })

  test('counts images from the web against what is held for their sender', async ({ assert }) => {
    const images = (count: number) =>
      Array.from({ length: count }, (_, at) => ({
        type: 'image_url',
        image_url: { url: `https://x.test/${at}` },
      }))
    const send = (count: number) => ask({ messages: [{ role: 'user', content: images(count) }] })
    gateway.script = (reply) => reply.json(200, whole({ content: 'Hi' }))
    imageBytes = 10 * 1024 * 1024
    const refused = await failureOf(send(8))
    assert.deepEqual([refused.status, refused.code], [429, 'rate_limit_exceeded'])
    await send(5)
    await send(5)
    assert.lengthOf(gateway.requests, 2)
  })

  test('an image within the last message goes on byte for byte', async ({ assert }) => {
    gateway.script = (reply) => reply.json(200, whole({ content: 'A cat' }))
    const content = [{ type: 'image_url', image_url: { url: PIXEL, detail: 'low' } }]
    await ask({ messages: [{ role: 'user', content }] })
    assert.deepEqual(gateway.requests[0].body.messages, [{ role: 'user', content }])
  })

  test('says what it cannot read: {$self}')
    .with(['file', 'input_audio', 'video_url'])
    .run(async ({ assert }, type) => {
      const failure = await failureOf(
        ask({ messages: [{ role: 'user', content: [{ type, [type]: {} }] }] })
      )
      assert.equal(failure.status, 400)
      assert.equal(failure.code, 'E_CHAT_CONTENT')
      assert.include(failure.message, type)
      assert.isEmpty(gateway.requests)
    })

  test('says that a type which is no text is none', async ({ assert }) => {
    const content = [{ type: { toString: 1 } }]
    const refused = [
      ask({ messages: [{ role: 'user', content }] }),
      client.responses.create({ input: [{ role: 'user', content }] } as any),
    ]
    for (const failure of await Promise.all(refused.map(failureOf))) {
      assert.deepEqual([failure.status, failure.code], [400, 'E_CHAT_CONTENT'])
    }
  })

  test('takes the Responses API, in the shapes that a gateway knows', async ({ assert }) => {
    const answer = { id: 'resp_1', object: 'response', status: 'completed', output: [] }
    gateway.script = (reply) => reply.json(200, answer)
    const parts = [
      { type: 'input_text', text: 'What is this?' },
      { type: 'input_image', image_url: PIXEL, detail: 'auto' },
    ]
    await client.responses.create({
      model: 'gpt-5-codex',
      instructions: 'Be brief.',
      store: false,
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: 'k',
      parallel_tool_calls: true,
      reasoning: { effort: 'minimal' },
      text: {
        verbosity: 'low',
        format: { type: 'json_schema', name: 'a', schema: { type: 'object' } },
      },
      tools: [
        { type: 'function', name: 'read', parameters: { type: 'object' }, strict: null },
        { type: 'web_search' },
      ],
      tool_choice: 'auto',
      input: [
        { role: 'user', content: parts },
        { type: 'reasoning', id: 'r1', summary: [] },
        {
          type: 'function_call',
          id: 'f1',
          call_id: 'c1',
          name: 'read',
          arguments: '{}',
          status: 'completed',
        },
        {
          type: 'function_call_output',
          call_id: 'c1',
          output: [{ type: 'input_text', text: '42' }],
        },
      ],
    } as any)

    const { instructions, ...body } = gateway.requests[0].body
    assert.deepEqual(body, {
      model: 'openclaw',
      tools: [{ type: 'function', name: 'client_read', parameters: { type: 'object' } }],
      tool_choice: 'auto',
      input: [
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is this?' },
            {
              type: 'input_image',
              source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' },
            },
          ],
        },
        { type: 'function_call', id: 'f1', call_id: 'c1', name: 'client_read', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: '42' },
      ],
    })
    assert.match(instructions, /^Be brief\.\n\n.*JSON Schema: \{"type":"object"\}$/)
  })

  test('a response’s text has annotations, which clients require', async ({ assert }) => {
    const content = [{ type: 'output_text', text: 'Hi' }]
    const output = [{ type: 'message', id: 'm1', role: 'assistant', content, status: 'completed' }]
    gateway.script = (reply) =>
      reply.json(200, { id: 'resp_1', object: 'response', status: 'completed', output })
    const answer: any = await client.responses.create({ model: 'openclaw', input: 'Hi' })
    assert.deepEqual(answer.output[0].content, [{ ...content[0], annotations: [] }])
  })

  test('whole responses count as held for their reader until they are delivered', async ({
    assert,
  }) => {
    const limits = await app.container.make('identity.limits')
    const go = Promise.withResolvers<void>()
    gateway.script = async ({ raw }) => {
      raw.writeHead(200, { 'content-type': 'application/json' }).write(' '.repeat(12 * MEGABYTE))
      await go.promise
      raw.end(JSON.stringify({ id: 'r', object: 'response', status: 'completed', output: [] }))
    }
    let refused = 0
    const respond = async () => {
      const answer = await fetch(`${baseUrl()}/v1/responses`, {
        method: 'POST',
        headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ input: 'Hi' }),
      })
      if (answer.status === 429) refused++
      const told = await answer.text()
      return [answer.status, told.includes('rate_limit_exceeded')]
    }
    const answers = Array.from({ length: 8 }, respond)
    await until(() => refused >= 3)
    assert.isAtMost(limits.heldBytes, 64 * MEGABYTE)
    go.resolve()
    for (const answer of await Promise.all(answers)) {
      assert.deepInclude(
        [
          [200, false],
          [429, true],
        ],
        answer
      )
    }
    await until(() => limits.heldBytes === 0)
  }).timeout(60_000)

  test('a response’s failure is told by its kind while nothing was said', async ({ assert }) => {
    const event = (type: string, more: object) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`
    const failed = { response: { status: 'failed', error: { code: 'api_error', message: 'no' } } }
    const opening = event('response.created', { response: {} })
    gateway.script = ({ raw }) => {
      fails('billing')
      raw.writeHead(200, { 'content-type': 'text/event-stream' })
      raw.write(opening)
      raw.end(`${event('response.failed', failed)}data: [DONE]\n\n`)
    }
    const respond = () => client.responses.create({ model: 'openclaw', input: 'Hi', stream: true })
    const failure = await failureOf(respond())
    assert.equal(failure.status, 402)
    assert.equal(failure.code, 'E_MODEL_BILLING')

    gateway.script = ({ raw }) => {
      fails('billing')
      raw.writeHead(200, { 'content-type': 'text/event-stream' })
      raw.write(opening + event('response.output_text.delta', { delta: 'W' }))
      raw.end(`${event('response.failed', failed)}data: [DONE]\n\n`)
    }
    const types: string[] = []
    let last: any
    for await (const told of await respond()) types.push((last = told).type)
    assert.deepEqual(types, ['response.created', 'response.output_text.delta', 'response.failed'])
    assert.equal(last.response.error.code, 'E_MODEL_BILLING')
  })

  test('a response without input is refused', async ({ assert }) => {
    for (const input of [undefined, '', [], 7]) {
      const failure = await failureOf(client.responses.create({ model: 'openclaw', input } as any))
      assert.equal(failure.status, 400)
    }
  })

  test('what is not there is JSON, with the base URL: {$self}')
    .with(['/v1/nothing', '/chat/completions', '/models', '/v1'])
    .run(async ({ assert }, path) => {
      const answer = await fetch(baseUrl() + path, {
        method: 'POST',
        headers: { accept: 'text/html', authorization: `Bearer ${token}` },
      })
      assert.equal(answer.status, 404)
      const { error } = (await answer.json()) as any
      assert.equal(error.type, 'not_found_error')
      assert.include(error.message, `The base URL of this API is ${baseUrl()}/v1.`)
    })

  test('a compressed request is refused as such: {$self}')
    .with(['/v1/chat/completions', '/v1/responses', '/v1/embeddings'])
    .run(async ({ assert }, path) => {
      const headers = { 'authorization': `Bearer ${token}`, 'content-encoding': 'gzip' }
      const body = gzipSync('{"model":"openclaw","messages":[]}')
      const answer = await fetch(baseUrl() + path, { method: 'POST', headers, body })
      assert.equal(answer.status, 415)
      const { error } = (await answer.json()) as any
      assert.include(error.message, 'Mosaic takes no compressed requests.')
    })

  test('a body in pieces that is too large ends in a 413', async ({ assert }) => {
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const { hostname, port } = new URL(baseUrl())
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest({
        ...{ hostname, port, method: 'POST', path: '/v1/chat/completions' },
        headers: { 'authorization': `Bearer ${token}`, 'transfer-encoding': 'chunked' },
      })
      request.on('response', (response) => resolve(response.resume().statusCode))
      request.on('error', reject)
      const send = (left: number): unknown =>
        left === 0 ? request.end() : request.write(piece, () => send(left - 1))
      send(40)
    })
    assert.equal(status, 413)
  })
})

test.group('Pages of other sites', (group) => {
  const ORIGIN = 'https://chat.example.org'
  let token: string

  group.setup(() => testUtils.db().truncate())
  group.setup(async () => {
    const settings = await app.container.make('settings')
    await settings.set('api.corsOrigins', [ORIGIN])
    token = (await userWithToken()).token
    /** A request of another spec may have cached the list for two seconds. */
    await new Promise((resolve) => setTimeout(resolve, 2100))
    await ask('/v1/models', ORIGIN)
    return () => settings.set('api.corsOrigins', [])
  })

  function ask(path: string, origin: string, init: RequestInit = {}) {
    const headers = { origin, authorization: `Bearer ${token}`, ...init.headers }
    return fetch(baseUrl() + path, { ...init, headers })
  }
  const preflight = (path: string, origin: string) =>
    fetch(baseUrl() + path, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,x-stainless-os',
      },
    })
  const allowed = ({ headers }: Response) => headers.get('access-control-allow-origin')

  test('that an admin lists may ask ahead, without a token, and call', async ({ assert }) => {
    for (const path of ['/v1/chat/completions', '/v1/models', '/v1/responses']) {
      const ahead = await preflight(path, ORIGIN)
      assert.equal(ahead.status, 204)
      assert.equal(allowed(ahead), ORIGIN)
      assert.include(ahead.headers.get('access-control-allow-headers'), 'x-stainless-os')
      assert.isNull(ahead.headers.get('access-control-allow-credentials'))
    }
    const answer = await ask('/v1/models', ORIGIN)
    assert.equal(answer.status, 200)
    assert.equal(allowed(answer), ORIGIN)
    assert.include(answer.headers.get('vary')?.toLowerCase(), 'origin')
  })

  test('that it lists may read why they are refused', async ({ assert }) => {
    const init = { method: 'POST', headers: { authorization: 'Bearer mos_no' }, body: '{}' }
    const answer = await ask('/v1/chat/completions', ORIGIN, init)
    assert.equal(answer.status, 401)
    assert.equal(allowed(answer), ORIGIN)
  })

  test('that nobody lists may not, and nothing but /v1 is open', async ({ assert }) => {
    assert.isNull(allowed(await preflight('/v1/models', 'https://evil.example.org')))
    assert.isNull(allowed(await ask('/v1/models', 'https://evil.example.org')))
    assert.isNull(allowed(await preflight('/api/v1/me', ORIGIN)))
    assert.isNull(allowed(await ask('/api/v1/me', ORIGIN)))
  })
})

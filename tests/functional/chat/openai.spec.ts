import OpenAI from 'openai'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { failureOf } from '#tests/doubles/openai_failure'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'

const hello = [{ role: 'user' as const, content: 'Hello' }]

test.group("OpenAI's own client", (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let client: OpenAI
  let userId: string

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    surface = scriptedSurface({
      models: { 'mosaic-work': ['gpt-5.4', 'org/large', 'x@f16', '模型'] },
    })
    surface.waker.remembered = gateway.access
    const owner = await userWithToken()
    userId = owner.user.id
    client = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey: owner.token, maxRetries: 0 })
    return async () => {
      await surface.restore()
      await gateway.stop()
    }
  })

  async function streamed(request: { user?: string; messages?: any[] } = {}): Promise<string> {
    const stream = await client.chat.completions.create({
      model: 'openclaw',
      stream: true,
      messages: hello,
      ...request,
    })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    return text
  }

  test('reads a stream', async ({ assert }) => {
    gateway.script = (reply) => reply.begin().say('Hello, ').say('you').finish()
    assert.equal(await streamed(), 'Hello, you')
  })

  test('reads an answer without a stream', async ({ assert }) => {
    gateway.script = (reply) =>
      reply.json(200, {
        id: 'chatcmpl_1',
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' } }],
      })
    const answer = await client.chat.completions.create({ model: 'openclaw', messages: hello })
    assert.equal(answer.choices[0].message.content, 'Hello')
  })

  test('talks to the agent of the owner of the token, and of nobody else', async ({ assert }) => {
    surface.waker.remembered = null
    surface.waker.wake = async () => gateway.access
    await streamed()
    assert.deepEqual(surface.waker.woken, [`user/${userId}`])
  })

  test('goes on with the conversation that `user` names, with the new messages only', async ({
    assert,
  }) => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'One?' },
      { role: 'assistant', content: 'One.' },
      { role: 'user', content: 'Two?' },
    ]
    await streamed({ user: 'Holiday plans', messages })
    const [{ headers, body }] = gateway.requests
    assert.match(headers['x-openclaw-session-key'] as string, /^api:holiday-plans\.[0-9a-f]{16}$/)
    assert.deepEqual(body.messages, [messages[0], messages[3]])
    assert.notProperty(body, 'user')
  })

  test('sends the whole list where no conversation is named', async ({ assert }) => {
    const messages = [
      { role: 'user', content: 'One?' },
      { role: 'assistant', content: 'One.' },
      { role: 'user', content: 'Two?' },
    ]
    await streamed({ messages })
    const [{ headers, body }] = gateway.requests
    const key = headers['x-openclaw-session-key'] as string
    assert.match(key, /^agent:main:dashboard:incognito-[0-9a-f-]{36}$/, 'kept in memory alone')
    assert.deepEqual(body.messages, messages)
  })

  test('cannot reach a namespace of the agent: {$self}')
    .with(['subagent:x', 'cron:x', 'acp:x', 'agent:main:main'])
    .run(async ({ assert }, user) => {
      await streamed({ user })
      assert.match(gateway.requests[0].headers['x-openclaw-session-key'] as string, /^api:[^:]+$/)
    })

  test('lists the agent and its models, and finds each', async ({ assert }) => {
    const { data } = await client.models.list()
    assert.deepEqual(
      data.map(({ id }) => id),
      ['openclaw', 'work/gpt-5.4', 'work/org/large', 'work/x@f16', 'work/模型']
    )
    assert.equal((await client.models.retrieve('openclaw')).object, 'model')
    assert.equal((await client.models.retrieve('work/org/large')).id, 'work/org/large')
    assert.equal((await failureOf(client.models.retrieve('work/other'))).status, 404)
  })

  test('can name one of the models for the agent, and no other', async ({ assert }) => {
    const ask = (model: string) =>
      client.chat.completions.create({ model, stream: true, messages: hello })
    for await (const _chunk of await ask('openclaw/work/gpt-5.4'));
    const [{ headers, body }] = gateway.requests
    assert.equal(headers['x-openclaw-model'], 'mosaic-work/gpt-5.4', 'as its gateway calls it')
    assert.equal(body.model, 'openclaw')

    for (const unknown of ['gpt-9', 'work/gpt-9', 'openclaw/work/gpt-9']) {
      const failure = await failureOf(ask(unknown))
      assert.equal(failure.status, 404)
      assert.equal(failure.code, 'model_not_found')
    }
    assert.lengthOf(gateway.requests, 1)
  })

  test('is told why where the name of a model would not arrive', async ({ assert }) => {
    for (const [model, why] of [
      ['openclaw/work/x@f16', /takes "@f16" for the name of a login/],
      ['openclaw/work/模型', /does not fit into a header/],
    ] as const) {
      const failure = await failureOf(client.chat.completions.create({ model, messages: hello }))
      assert.equal(failure.status, 400)
      assert.equal(failure.code, 'E_CHAT_UNUSABLE_MODEL')
      assert.match(failure.message, why)
    }
    assert.isEmpty(gateway.requests)
  })

  test('throws on an error in the stream, with what the provider did', async ({ assert }) => {
    gateway.script = (reply) => {
      surface.failures.record(`user/${userId}`, {
        provider: 'work',
        reason: 'unauthorized',
        message: 'The key of work was refused.',
      })
      reply.begin().say('Well, ').fail('All models failed (1): not found')
    }
    const failure = await failureOf(streamed())
    assert.equal(failure.code, 'E_MODEL_UNAUTHORIZED')
    assert.match(failure.message, /^The key of work was refused\. Enter its key again/)
  })

  test('throws on an error in the stream with the agent’s own words where there are no better', async ({
    assert,
  }) => {
    surface.failures.record(`user/${userId}`, {
      provider: 'work',
      reason: 'timeout',
      message: 'This was long ago.',
    })
    surface.failures.last(`user/${userId}`)!.at.setFullYear(2000)
    gateway.script = (reply) => reply.begin().fail('Tool loop detected')
    const failure = await failureOf(streamed())
    assert.equal(failure.code, 'E_AGENT_FAILED')
    assert.include(failure.message, 'Tool loop detected')
  })

  test('an answer that speaks of errors is no error', async ({ assert }) => {
    const text = 'data: {"error": {"message": "no"}}\n\n{"error"'
    gateway.script = (reply) => reply.begin().say(text).finish()
    assert.equal(await streamed(), text)
  })

  test('throws the provider’s failure without a stream too', async ({ assert }) => {
    gateway.script = (reply) => {
      surface.failures.record(`user/${userId}`, {
        provider: 'work',
        reason: 'billing',
        message: 'The account behind work has no credit left.',
      })
      reply.json(500, { error: { message: 'internal error', type: 'api_error' } })
    }
    const failure = await failureOf(
      client.chat.completions.create({ model: 'openclaw', messages: hello })
    )
    assert.equal(failure.status, 402)
    assert.equal(failure.code, 'E_MODEL_BILLING')
  })

  test('reads what the gateway finds wrong with a request', async ({ assert }) => {
    gateway.script = (reply) =>
      reply.json(400, { error: { message: 'Invalid stop', type: 'invalid_request_error' } })
    const failure = await failureOf(streamed())
    assert.equal(failure.status, 400)
    assert.equal(failure.type, 'invalid_request_error')
    assert.include(failure.message, 'Invalid stop')
  })

  test('is told when to come back where all models are rate-limited', async ({ assert }) => {
    gateway.script = (reply) => reply.json(429, { error: {} }, { 'retry-after': '7' })
    const failure = await failureOf(streamed())
    assert.equal(failure.status, 429)
    assert.equal(failure.headers?.get('retry-after'), '7')
  })

  test('reads that a token is wrong', async ({ assert }) => {
    const stranger = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey: 'mos_no', maxRetries: 0 })
    const failure = await failureOf(stranger.models.list())
    assert.equal(failure.status, 401)
    assert.equal(failure.code, 'invalid_api_key')
  })

  test('is refused what is too large, before it is read', async ({ assert }) => {
    const content = 'x'.repeat(11 * 1024 * 1024)
    const failure = await failureOf(streamed({ messages: [{ role: 'user', content }] }))
    assert.equal(failure.status, 413)
    assert.lengthOf(gateway.requests, 0)
  })

  test('is refused a request without messages', async ({ assert }) => {
    assert.equal((await failureOf(streamed({ messages: [] }))).status, 400)
    assert.lengthOf(gateway.requests, 0)
  })
})

import OpenAI, { APIError } from 'openai'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { baseUrl, scriptedSurface } from '#tests/doubles/chat_surface'
import { RealAgent } from '#tests/e2e/real_openclaw'
import { ScriptedModel } from '#tests/e2e/scripted_model'
import { agentOfSomeone, providerOf } from '#tests/functional/openclaw/agent'

const KEY = 'sk-canary-71b2c3d4'
/** A start of the real OpenClaw on a busy machine, and its first chat. */
const BOOT_MS = 300_000
const TIMEOUT_MS = 120_000
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const hello = [{ role: 'user' as const, content: 'Good morning' }]

async function failureOf(promise: Promise<unknown>): Promise<APIError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof APIError) return error
    throw error
  }
  throw new Error('It did not fail')
}

const tool = (name: string) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { path: { type: 'string' } } } },
})

test.group("OpenAI's client and the real OpenClaw", (group) => {
  let home: string
  let agent: RealAgent
  let gatewayToken: string
  let model: ScriptedModel
  let surface: ReturnType<typeof scriptedSurface>
  let client: OpenAI

  group.setup(() => testUtils.db().truncate())
  group.setup(async () => {
    home = mkdtempSync(join(tmpdir(), 'mosaic-clients-'))
    model = await new ScriptedModel().start()
    const settings = await app.container.make('settings')
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])

    const { user, token } = await agentOfSomeone()
    gatewayToken = token
    const models = [{ id: ScriptedModel.MODEL, name: 'Parrot' }]
    const provider = { name: 'work', type: 'custom', apiType: 'openai-completions', models }
    await providerOf(user.id, { ...provider, baseUrl: model.url }, KEY)

    const failures = await app.container.make('llm_relay.failures')
    surface = scriptedSurface({ failures, models: { 'mosaic-work': [ScriptedModel.MODEL] } })
    agent = new RealAgent(`user/${user.id}`, token, home, await freePort())
    surface.waker.remembered = { url: agent.url, token }
    const tokens = await app.container.make('identity.tokens')
    const apiKey = (await tokens.create(user, { name: 'test' })).value!.release()
    client = new OpenAI({ baseURL: `${baseUrl()}/v1`, apiKey, maxRetries: 0 })
    return async () => {
      await agent.stop()
      await surface.restore()
      await model.stop()
      await settings.set('network.allowedRanges', [])
      rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    }
  })
  group.setup(async () => {
    const gateway = await app.container.make('openclaw.gateway')
    await agent.ready((url) => gateway.probeReady(url), BOOT_MS)
    await gateway.prewarm(agent.url, gatewayToken, AbortSignal.timeout(BOOT_MS))
  })
  group.each.setup(() => {
    model.bodies.length = 0
    model.script = () => ({ text: 'Hello there.' })
  })
  group.each.timeout(TIMEOUT_MS)

  const names = (at = 0) => model.bodies[at].tools?.map((one) => one.function.name) ?? []

  test('streams, with usage', async ({ assert }) => {
    const stream = await client.chat.completions.create({
      ...{ model: 'openclaw', messages: hello, stream: true },
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    assert.equal(text, 'Hello there.')
    assert.equal(usage?.completion_tokens, 7)
  })

  for (const stream of [false, true]) {
    test(`offers a client's tools as they are, and takes their results, ${stream}`, async ({
      assert,
    }) => {
      model.script = (_body, number) =>
        number === 1
          ? { calls: [{ name: 'client_read', args: { path: 'a' } }, { name: 'get_weather' }] }
          : { text: 'It says 42.' }
      const tools = ['read', 'bash', 'exec', 'get_weather'].map(tool)
      const asked = { model: 'openclaw', messages: hello, tools }
      const calls = stream
        ? (await client.chat.completions.stream(asked).finalChatCompletion()).choices[0].message
            .tool_calls!
        : (await client.chat.completions.create(asked)).choices[0].message.tool_calls!
      assert.includeMembers(names(), ['client_read', 'client_bash', 'client_exec', 'get_weather'])
      assert.notInclude(names(), 'tool_search')
      assert.deepEqual(
        calls.map((call) => (call as any).function.name),
        ['read', 'get_weather']
      )

      const results = calls.map(({ id }) => ({
        ...{ role: 'tool' as const, tool_call_id: id, content: `result of ${id}` },
      }))
      const assistant = { role: 'assistant' as const, content: null, tool_calls: calls }
      const messages = [...hello, assistant, ...results]
      const answer = await client.chat.completions.create({ ...asked, messages } as any)
      assert.equal(answer.choices[0].message.content, 'It says 42.')
      const told = JSON.stringify(model.bodies.at(-1)!.messages)
      for (const { id } of calls) assert.include(told, `result of ${id}`)
    })

    for (const status of [401, 402, 404, 429, 503]) {
      test(`reads a ${status} of the provider, ${stream}`, async ({ assert }) => {
        const body = { error: { message: 'No.' } }
        model.script = () => ({ status, body, headers: { 'retry-after': '9' } })
        const asked = { model: 'openclaw', messages: hello, stream }
        const failure = await failureOf(client.chat.completions.create(asked))
        assert.equal(failure.status, status)
        if (status === 429) assert.equal(failure.headers?.get('retry-after'), '9')
      })
    }
  }

  test('tries again where the provider asks for a moment', async ({ assert }) => {
    const body = { error: { message: 'Busy.' } }
    model.script = (_body, number) =>
      number === 1 ? { status: 429, body, headers: { 'retry-after': '1' } } : { text: 'Now.' }
    const patient = client.withOptions({ maxRetries: 2 })
    const answer = await patient.chat.completions.create({ model: 'openclaw', messages: hello })
    assert.equal(answer.choices[0].message.content, 'Now.')
  })

  test('sees an image, of an earlier message too', async ({ assert }) => {
    const image = { type: 'image_url' as const, image_url: { url: PIXEL } }
    await client.chat.completions.create({
      model: 'openclaw',
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Look' }, image] },
        { role: 'assistant', content: 'A dot.' },
        { role: 'user', content: 'Which colour?' },
      ],
    })
    assert.include(JSON.stringify(model.bodies[0].messages), 'data:image/')
  })

  test('remembers a conversation once, whatever a client sends again', async ({ assert }) => {
    const ask = (messages: object[]) =>
      client.chat.completions.create({ model: 'openclaw', user: 'twice', messages } as any)
    const first = { role: 'user', content: 'My number is 4711.' }
    const { message } = (await ask([first])).choices[0]
    await ask([first, message, { role: 'user', content: 'Which number?' }])
    const told = JSON.stringify(model.bodies.at(-1)!.messages)
    assert.equal(told.split('My number is 4711.').length - 1, 1)
  })

  test('takes the Responses API: streams, calls tools, goes on', async ({ assert }) => {
    model.script = (_body, number) =>
      number === 1
        ? { calls: [{ name: 'client_read', args: { path: 'a' } }] }
        : { text: 'It is 42.' }
    const tools = [
      { type: 'function' as const, name: 'read', parameters: { type: 'object' }, strict: false },
    ]
    const first = await client.responses.create({
      model: 'openclaw',
      input: 'Read a',
      tools,
    } as any)
    const call = first.output.find(({ type }) => type === 'function_call') as any
    assert.equal(call.name, 'read')

    const stream = client.responses.stream({
      model: 'openclaw',
      tools,
      input: [
        { role: 'user', content: 'Read a' },
        ...first.output,
        { type: 'function_call_output', call_id: call.call_id, output: '42' },
      ] as any,
    })
    assert.equal((await stream.finalResponse()).output_text, 'It is 42.')

    const body = { error: { message: 'Slow down.' } }
    model.script = () => ({ status: 429, body, headers: { 'retry-after': '9' } })
    const failure = await failureOf(client.responses.create({ model: 'openclaw', input: 'Hi' }))
    assert.equal(failure.status, 429)
  })

  test('a model by its own name is asked as the client wrote it', async ({ assert }) => {
    const messages = [{ role: 'system', content: 'Be brief.' }, ...hello]
    const request = { messages, seed: 7, n: 1, tools: [tool('bash')] }
    await client.chat.completions.create({
      model: `work/${ScriptedModel.MODEL}`,
      ...request,
    } as any)
    assert.deepEqual(model.bodies, [{ model: ScriptedModel.MODEL, ...request }] as any)
  })

  test('calls without a conversation leave nothing in the store of the agent', async ({
    assert,
  }) => {
    const gateway = await app.container.make('openclaw.gateway')
    const keys = async () =>
      (await gateway.sessions(agent.url, gatewayToken))
        .map(({ key }) => key)
        .filter((key) => !key.startsWith('dashboard:incognito-'))
    const before = await keys()
    const secret = 'a canary of a call that stands alone'
    for (let number = 0; number < 3; number++) {
      const messages = [{ role: 'user' as const, content: secret }]
      await client.chat.completions.create({ model: 'openclaw', messages })
    }
    assert.sameMembers(await keys(), before)
    for (const file of filesBelow(home)) assert.isFalse(readFileSync(file).includes(secret), file)
  })
})

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

import OpenAI from 'openai'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { failureOf } from '#tests/doubles/openai_failure'
import { ClientHouse } from '#tests/e2e/clients/house'
import { PIXEL } from '#tests/e2e/clients/sdk'
import { ScriptedModel } from '#tests/e2e/scripted_model'

const TIMEOUT_MS = 120_000
const hello = [{ role: 'user' as const, content: 'Good morning' }]

const tool = (name: string) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { path: { type: 'string' } } } },
})

test.group("OpenAI's client and the real OpenClaw", (group) => {
  let house: ClientHouse
  let model: ScriptedModel
  let client: OpenAI

  group.setup(() => testUtils.db().truncate())
  group.setup(async () => {
    house = new ClientHouse()
    model = house.model
    await house.open()
    client = new OpenAI({ ...house.connection, maxRetries: 0 })
    return () => house.close()
  })
  group.each.setup(() => house.reset())
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

  test('tells the agent a history without a name once, in its order', async ({ assert }) => {
    const said = ['The first question.', 'The first answer.', 'The second question.']
    const messages = said.map((content, at) => ({ role: at % 2 ? 'assistant' : 'user', content }))
    await client.chat.completions.create({ model: 'openclaw', messages } as any)
    const told = JSON.stringify(model.bodies.at(-1)!.messages)
    for (const text of said) assert.equal(told.split(text).length - 1, 1, text)
    const places = said.map((text) => told.indexOf(text))
    assert.deepEqual(
      places,
      places.toSorted((one, other) => one - other)
    )
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
      (await gateway.sessions(house.access.url, house.access.token))
        .map(({ key }) => key)
        .filter((key) => !key.startsWith('dashboard:incognito-'))
    const before = await keys()
    const secret = 'a canary of a call that stands alone'
    for (let number = 0; number < 3; number++) {
      const messages = [{ role: 'user' as const, content: secret }]
      await client.chat.completions.create({ model: 'openclaw', messages })
    }
    assert.sameMembers(await keys(), before)
    for (const file of filesBelow(house.home))
      assert.isFalse(readFileSync(file).includes(secret), file)
  })
})

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

import { test } from '@japa/runner'
import { E_CHAT_NOT_JSON } from '#chat/errors'
import { readChatRequest, readModelRequest } from '#chat/openai_request'

const messages = [{ role: 'user', content: 'Hello' }]
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))

test.group("OpenAI's requests", () => {
  test('a request without a name goes on byte for byte', ({ assert }) => {
    const body = Buffer.from(
      '{ "model": "openclaw",  "messages": [{"role":"user","content":"Hi"}] }'
    )
    const request = readChatRequest(body)
    assert.strictEqual(request.body, body)
    assert.isNull(request.sessionKey)
    assert.isNull(request.namedModel)
    assert.isFalse(request.stream)
  })

  test('`user` becomes the conversation and leaves the body', ({ assert }) => {
    const request = readChatRequest(bytes({ user: ' notes ', messages, temperature: 0.2 }))
    assert.equal(request.sessionKey, 'api:notes')
    assert.deepEqual(JSON.parse(String(request.body)), {
      messages,
      temperature: 0.2,
      model: 'openclaw',
    })
  })

  test('is no request if it is nested more deeply than it can be passed on', ({ assert }) => {
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const body = Buffer.from(`{"model": "work/m", "messages": [], "x": ${nested}}`)
    assert.throws(() => readModelRequest(body), new E_CHAT_NOT_JSON().message)
  })

  test('null is the agent itself, as a gateway wants to read it', ({ assert }) => {
    const request = readChatRequest(bytes({ model: null, messages }))
    assert.isNull(request.namedModel)
    assert.equal(JSON.parse(String(request.body)).model, 'openclaw')
  })

  test('another model than the agent is named apart', ({ assert }) => {
    const request = readChatRequest(bytes({ model: 'work/gpt-5.4', messages }))
    assert.equal(request.namedModel, 'work/gpt-5.4')
    assert.equal(JSON.parse(String(request.body)).model, 'openclaw')
  })

  test('null is what was left out, as OpenAI’s clients write it: {$self}')
    .with(['model', 'user', 'stream', 'tools', 'max_tokens'])
    .run(({ assert }, field) => {
      const request = readChatRequest(bytes({ temperature: 0, [field]: null, messages }))
      assert.isNull(request.namedModel)
      assert.isNull(request.sessionKey)
      assert.isFalse(request.stream)
      assert.deepEqual(JSON.parse(String(request.body)), {
        temperature: 0,
        model: 'openclaw',
        messages,
      })
    })

  test('what is no JSON object is refused: {$self}')
    .with(['', 'hello', '[]', 'null', '"text"', '{"messages":['])
    .run(({ assert }, text) => {
      assert.throws(() => readChatRequest(Buffer.from(text)), 'The request is not a JSON object.')
    })

  test('a request without messages is refused', ({ assert }) => {
    for (const body of [{}, { messages: [] }, { messages: 'Hi' }]) {
      assert.throws(() => readChatRequest(bytes(body)), /"messages" must be a list/)
    }
  })

  test('a message that is none is refused before an agent wakes for it: {$self}')
    .with([
      'null',
      '"Hi"',
      '1',
      '[]',
      '[["user"]]',
      '{}',
      '{"role":null}',
      '{"role":{"toString":1}}',
    ])
    .run(({ assert }, message) => {
      const body = Buffer.from(`{"messages":[{"role":"user","content":"Hi"},${message}]}`)
      assert.throws(() => readChatRequest(body), /must be an object with a "role"/)
    })
})

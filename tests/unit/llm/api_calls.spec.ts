import { test } from '@japa/runner'
import { allowsCall, callsOf } from '#llm/api_calls'
import type { ApiCall } from '#llm/contract'

/** What each family's agent calls, as OpenClaw does. */
const FAMILIES: Record<string, string[]> = {
  'openai-completions': ['POST /chat/completions', 'POST /embeddings', 'GET /models'],
  'openai-responses': ['POST /responses', 'POST /embeddings', 'GET /models'],
  'anthropic-messages': ['POST /v1/messages', 'POST /v1/messages/count_tokens', 'GET /v1/models'],
  'ollama': ['POST /api/chat', 'POST /api/show', 'POST /api/embed', 'GET /api/tags'],
}

/** What the same key could do beside them, and how a path is led astray. */
const REFUSED = [
  'DELETE /api/delete',
  'POST /api/pull',
  'POST /api/copy',
  'DELETE /chat/completions',
  'PUT /chat/completions',
  'HEAD /models',
  'GET /files',
  'GET /chat/completions',
  'DELETE /models/ft:gpt-4o',
  'POST /fine_tuning/jobs',
  'GET /responses/resp_1',
  'POST /chat/completions/',
  'POST //chat/completions',
  'POST /Chat/Completions',
  'POST /chat/../chat/completions',
  'POST /chat/completions/..%2f..%2ffiles',
  'POST /chat/completions%2f..',
  'POST /%2E%2E%2Fadmin',
  'POST /..%2fadmin',
  'POST /..%252fadmin',
  'POST /..;/admin',
  'POST /chat/completions;x=y',
  'POST /..%5cadmin',
  'POST /..\\admin',
  'POST \\chat\\completions',
  'POST /chat%2fcompletions',
  'POST /chat/completions%00',
  'POST /chat/completions#x',
  'POST http://127.0.0.1/chat/completions',
  'POST //evil.example/chat/completions',
  'POST ',
  'POST /',
]

const split = (call: string) => {
  const space = call.indexOf(' ')
  return [call.slice(0, space), call.slice(space + 1)] as const
}

test.group('The calls of an API family', () => {
  for (const [family, calls] of Object.entries(FAMILIES)) {
    test(`${family}: those of a model, and no others`, ({ assert }) => {
      const declared = callsOf({}, family)
      for (const call of calls) assert.isTrue(allowsCall(declared, ...split(call)), call)
      for (const call of REFUSED) assert.isFalse(allowsCall(declared, ...split(call)), call)
    })
  }

  test('are none for a family that nobody knows', ({ assert }) => {
    for (const family of ['', 'gopher', 'toString', '__proto__']) {
      assert.deepEqual(callsOf({}, family), [])
    }
  })

  test('are what the adapter says where it says something', ({ assert }) => {
    const own: ApiCall[] = [{ method: 'POST', path: '/models/{model}:generateContent' }]
    const adapter = {
      calls: (family: string) => (family === 'google-generative-ai' ? own : undefined),
    }
    assert.equal(callsOf(adapter, 'google-generative-ai'), own)
    assert.deepEqual(callsOf(adapter, 'ollama'), callsOf({}, 'ollama'))

    const passes = (path: string) => allowsCall(own, 'POST', path)
    for (const path of ['/models/gemini-3-pro:generateContent', '/models/a.b:c:generateContent']) {
      assert.isTrue(passes(path), path)
    }
    for (const path of [
      '/models/:generateContent',
      '/models/..:generateContent',
      '/models/a/b:generateContent',
      '/models/a%2fb:generateContent',
      '/models/a;b:generateContent',
      '/models/a:countTokens',
      '/models/a:generateContent/x',
    ]) {
      assert.isFalse(passes(path), path)
    }
  })

  test('take no longer for a path that is long', ({ assert }) => {
    assert.isFalse(allowsCall(callsOf({}, 'ollama'), 'POST', '/'.repeat(1_000_000)))
  })
})

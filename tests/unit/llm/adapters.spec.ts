import { test } from '@japa/runner'
import { AnthropicAdapter } from '#llm/adapters/anthropic'
import { CustomAdapter } from '#llm/adapters/custom'
import { OllamaAdapter } from '#llm/adapters/ollama'
import { OpenAiAdapter } from '#llm/adapters/openai'
import type { Fetch, LlmAdapter } from '#llm/contract'
import { withKnown } from '#llm/known_models'
import { testOpenAiApi } from '#llm/openai_api'

/** A fetch that answers every call with the same JSON. */
const answering =
  (body: unknown): Fetch =>
  async () =>
    Response.json(body)

const tested = async (adapter: LlmAdapter, body: unknown) => {
  const { apiType } = adapter.defaults
  return adapter.testConnection(
    { baseUrl: 'http://service.test', apiKey: 'k', apiType, models: [] },
    { fetch: answering(body), signal: new AbortController().signal }
  )
}

test.group('LLM adapters', () => {
  test("OpenAI's list is cut to what chats, with the sizes that are known", async ({ assert }) => {
    const ids = ['gpt-5.4', 'gpt-4o-audio-preview', 'whisper-1', 'text-embedding-3-small', 'o9']
    const { models } = await tested(new OpenAiAdapter(), { data: ids.map((id) => ({ id })) })
    assert.deepEqual(models, [
      { id: 'gpt-5.4', name: 'GPT-5.4', contextWindow: 1_050_000, maxTokens: 128_000 },
      { id: 'o9', name: 'o9' },
    ])
  })

  test('a compatible service may tell names and sizes', async ({ assert }) => {
    const data = [
      { id: 'a', name: 'Model A', context_length: 32_768 },
      { id: 'b', max_model_len: 8192 },
      { id: 'c', context_length: '?' },
      { id: 7 },
    ]
    const { models } = await tested(new CustomAdapter(), { data })
    assert.deepEqual(models, [
      { id: 'a', name: 'Model A', contextWindow: 32_768 },
      { id: 'b', name: 'b', contextWindow: 8192 },
      { id: 'c', name: 'c' },
    ])
  })

  test('what a service tells of a model goes before what its adapter knows', ({ assert }) => {
    const known = [{ id: 'a', name: 'A', contextWindow: 1000, maxTokens: 100 }]
    assert.deepEqual(withKnown([{ id: 'a', name: 'a', contextWindow: 2000 }], known), [
      { id: 'a', name: 'A', contextWindow: 2000, maxTokens: 100 },
    ])
    const found = [{ id: 'a', name: 'A of the service' }]
    assert.equal(withKnown(found, known)[0].name, 'A of the service')
    assert.deepEqual(withKnown([{ id: 'b', name: 'b' }], known), [{ id: 'b', name: 'b' }])
  })

  test('an adapter reads the entries of a list, and leaves models out', async ({ assert }) => {
    const data = [
      { id: 'chats', size: 32_768, most: '?', capabilities: { chat: true } },
      { id: 'embeds', capabilities: { chat: false } },
      { id: 7 },
    ]
    const tried = (answer: unknown) =>
      testOpenAiApi(
        { baseUrl: 'http://service.test', apiKey: 'k', apiType: 'openai-completions', models: [] },
        {
          label: 'Acme',
          fetch: answering(answer),
          signal: new AbortController().signal,
          readModel: ({ capabilities, size, most }, model) =>
            capabilities.chat ? { ...model, contextWindow: size, maxTokens: most } : null,
        }
      )
    const { models } = await tried({ data })
    assert.deepEqual(models, [{ id: 'chats', name: 'chats', contextWindow: 32_768 }])
    assert.containsSubset(await tried({ data: [{ id: 'odd' }] }), { reason: 'bad_response' })
    assert.containsSubset(await tried({ data: [] }), { ok: true, models: [] })
  })

  test('a false count of tokens of vectors counts as none', async ({ assert }) => {
    for (const [told, tokens] of [
      [9, 9],
      [Number.MAX_SAFE_INTEGER, null],
      [-1, null],
      [{}, null],
    ]) {
      const answer = { embeddings: [[1]], prompt_eval_count: told }
      const made = await new OllamaAdapter().embed(
        { baseUrl: 'http://service.test', apiKey: null, apiType: 'ollama', models: [] },
        { model: 'm', texts: ['one'] },
        { fetch: answering(answer), signal: new AbortController().signal }
      )
      assert.containsSubset(made, { ok: true, tokens })
    }
  })

  test('addresses are brought into the form that OpenClaw appends to', ({ assert }) => {
    const anthropic = new AnthropicAdapter()
    assert.equal(anthropic.tidyBaseUrl('https://proxy.test/v1'), 'https://proxy.test')
    assert.equal(anthropic.tidyBaseUrl('https://proxy.test/v1/messages'), 'https://proxy.test')
    assert.equal(new OllamaAdapter().tidyBaseUrl('http://nas:11434/v1'), 'http://nas:11434')
    assert.equal(
      new CustomAdapter().tidyBaseUrl('https://h.test/v1/chat/completions'),
      'https://h.test/v1'
    )
  })

  test('only Ollama needs a plugin of OpenClaw', ({ assert }) => {
    const provider = { id: 'x', name: 'nas', apiType: 'ollama', models: [] }
    assert.deepEqual(new OllamaAdapter().toOpenClaw(provider, 'http://e').plugins, ['ollama'])
    assert.deepEqual(new OpenAiAdapter().toOpenClaw(provider, 'http://e').plugins, [])
  })
})

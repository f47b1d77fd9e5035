import { test } from '@japa/runner'
import { AnthropicAdapter } from '#llm/adapters/anthropic'
import { CustomAdapter } from '#llm/adapters/custom'
import { DemoAdapter } from '#llm/adapters/demo'
import { OllamaAdapter } from '#llm/adapters/ollama'
import { OpenAiAdapter } from '#llm/adapters/openai'
import { ZaiAdapter } from '#llm/adapters/zai'
import { llmAdapterSuite } from '#tests/contracts/llm'
import type { Received, Reply } from '#tests/contracts/loopback_service'

/** Responds by path and method, else 404, as each service does. */
const routes =
  (table: Record<string, unknown>) =>
  ({ method, url }: Received): Reply => {
    const json = table[`${method} ${url.split('?')[0]}`]
    return json ? { status: 200, json } : { status: 404, json: { error: 'no such path' } }
  }

/** A vector per text, as long as no real model makes them. */
const vectors = [
  [0.5, 0.25, 0],
  [0, 0.5, 1],
]
const embeddings = {
  object: 'list',
  data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })).toReversed(),
  usage: { prompt_tokens: 7, total_tokens: 7 },
}

const completion = { id: 'c', object: 'chat.completion', choices: [{ message: { content: 'H' } }] }
const list = (...ids: string[]) => ({
  object: 'list',
  data: ids.map((id) => ({ id, object: 'model', owned_by: 'test' })),
})

llmAdapterSuite(test, {
  name: 'openai',
  adapter: () => new OpenAiAdapter(),
  service: {
    path: '/v1',
    models: ['gpt-5.5', 'gpt-new'],
    listPath: '/v1/models',
    embeddingModel: 'text-embedding-3-large',
    answer: routes({
      'GET /v1/models': list('gpt-5.5', 'gpt-new', 'text-embedding-3-large'),
      'POST /v1/embeddings': embeddings,
      'POST /v1/responses': { id: 'r', object: 'response', output: [] },
    }),
  },
})

llmAdapterSuite(test, {
  name: 'anthropic',
  adapter: () => new AnthropicAdapter(),
  service: {
    path: '',
    models: ['claude-opus-5'],
    listPath: '/v1/models',
    answer: routes({
      'GET /v1/models': {
        data: [{ type: 'model', id: 'claude-opus-5', display_name: 'Claude Opus 5' }],
        has_more: false,
      },
      'POST /v1/messages': { id: 'm', type: 'message', content: [{ type: 'text', text: 'H' }] },
    }),
  },
})

llmAdapterSuite(test, {
  name: 'zai',
  adapter: () => new ZaiAdapter(),
  service: {
    path: '/api/paas/v4',
    models: ['glm-5.2'],
    listPath: '/api/paas/v4/models',
    answer: routes({
      'GET /api/paas/v4/models': list('glm-5.2'),
      'POST /api/paas/v4/chat/completions': completion,
    }),
  },
})

llmAdapterSuite(test, {
  name: 'ollama',
  adapter: () => new OllamaAdapter(),
  service: {
    path: '',
    models: ['qwen3:8b'],
    embeddingModel: 'nomic-embed-text',
    answer: routes({
      'GET /api/tags': { models: [{ name: 'qwen3:8b', model: 'qwen3:8b' }] },
      'POST /api/embed': { embeddings: vectors, prompt_eval_count: 7 },
    }),
  },
})

llmAdapterSuite(test, {
  name: 'custom',
  adapter: () => new CustomAdapter(),
  service: {
    path: '/v1',
    models: ['vendor/model'],
    listPath: '/v1/models',
    embeddingModel: 'vendor/embed',
    answer: routes({
      'GET /v1/models': list('vendor/model'),
      'POST /v1/embeddings': embeddings,
      'POST /v1/chat/completions': completion,
    }),
  },
})

/** A service with its own error format, whose adapter adds settings to its models. */
class OddAdapter extends CustomAdapter {
  override toOpenClaw(...given: Parameters<CustomAdapter['toOpenClaw']>) {
    const entry = super.toOpenClaw(...given)
    const models = entry.config.models.map((model) => ({
      ...model,
      input: ['text'],
      compat: { supportsDeveloperRole: false },
    }))
    return { ...entry, config: { ...entry.config, models } }
  }

  readError({ body }: { status: number; body: string }) {
    return body.startsWith('ODD-7') ? { reason: 'billing' as const } : null
  }
}

llmAdapterSuite(test, {
  name: 'odd',
  adapter: () => new OddAdapter(),
  errors: [
    { status: 400, body: 'ODD-7: no coins', reason: 'billing' },
    { status: 400, body: { error: { code: 'context_length_exceeded' } }, reason: 'context_length' },
    { status: 422, body: { detail: [{ msg: 'Field required' }] }, reason: 'bad_request' },
    { status: 503, body: '', reason: 'bad_response' },
  ],
})

llmAdapterSuite(test, { name: 'demo', adapter: () => new DemoAdapter(0) })

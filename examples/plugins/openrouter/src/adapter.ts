import {
  authorizeBearer,
  badAnswer,
  jsonPost,
  listOrComplete,
  openClawEntry,
  testConnection,
  type ConnectionTest,
  type LlmAdapter,
  type LlmConnection,
  type LlmField,
  type LlmModel,
  type OpenClawEntry,
  type OpenClawProvider,
  type TestOptions,
} from '@mosaic/plugin-kit/llm'

/** OpenRouter: models of many services behind one key, with an OpenAI-compatible API. */
export class OpenrouterAdapter implements LlmAdapter {
  readonly type = 'openrouter'
  readonly label = 'OpenRouter'
  readonly description = 'Models of many services with one key. It comes from openrouter.ai → Keys.'

  readonly defaults = {
    baseUrl: 'https://openrouter.ai/api/v1',
    apiType: 'openai-completions',
    models: [{ id: 'openrouter/auto', name: 'Auto' }],
  }

  readonly fields: LlmField[] = [
    { name: 'apiKey', label: 'API key', required: true, placeholder: 'sk-or-…' },
    {
      name: 'baseUrl',
      label: 'Address',
      required: false,
      help: 'Only for a region or a proxy of your own.',
      placeholder: 'https://openrouter.ai/api/v1',
    },
    { name: 'models', label: 'Models', required: true },
  ]

  /** The model list is public: only `/key` checks the key. */
  testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest> {
    const { baseUrl, apiKey, models } = connection
    return testConnection({ ...options, label: this.label }, async (ask) => {
      const headers = new Headers()
      if (apiKey) {
        this.authorize(headers, apiKey)
        await ask(`${baseUrl}/key`, { headers })
      }
      return listOrComplete({
        declared: models,
        list: async () => this.#read(await ask(`${baseUrl}/models`, { headers })),
        complete: async (model) => {
          const body = { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 }
          const answer = await ask(`${baseUrl}/chat/completions`, jsonPost(headers, body))
          if (!Array.isArray((answer as { choices?: unknown } | null)?.choices)) {
            throw badAnswer(this.label)
          }
        },
      })
    })
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text', 'image'] })
  }

  /** OpenRouter shows this title as the application's name in its statistics. */
  authorize(headers: Headers, apiKey: string): void {
    authorizeBearer(headers, apiKey)
    headers.set('x-title', 'Mosaic')
  }

  #read(answer: unknown): LlmModel[] {
    const { data } = (answer ?? {}) as { data?: unknown }
    if (!Array.isArray(data)) throw badAnswer(this.label)
    return data.flatMap((entry): LlmModel[] => {
      const { id, name, context_length: length, top_provider: top } = entry ?? {}
      if (typeof id !== 'string' || id === '') return []
      return [
        {
          id,
          name: typeof name === 'string' && name !== '' ? name : id,
          ...sizeOf('contextWindow', length),
          ...sizeOf('maxTokens', top?.max_completion_tokens),
        },
      ]
    })
  }
}

/** Returns a size in tokens, if the service reports one. */
function sizeOf(field: 'contextWindow' | 'maxTokens', size: unknown) {
  return Number.isInteger(size) && Number(size) > 0 ? { [field]: Number(size) } : {}
}

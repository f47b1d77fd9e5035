import type {
  ConnectionTest,
  LlmAdapter,
  LlmConnection,
  LlmField,
  LlmModel,
  OpenClawEntry,
  OpenClawProvider,
  TestOptions,
} from '#llm/contract'
import { badAnswer, jsonPost, listOrComplete, testConnection } from '#llm/connection_test'
import { withKnown } from '#llm/known_models'
import { openClawEntry } from '#llm/openclaw_entry'

/** API version sent with every request; Anthropic keeps old ones working. */
const API_VERSION = '2023-06-01'

/** Anthropic: the Claude models. The base URL ends before `/v1`, which OpenClaw adds itself. */
export class AnthropicAdapter implements LlmAdapter {
  readonly type = 'anthropic'
  readonly label = 'Anthropic'
  readonly description =
    'Claude models from Anthropic. The key comes from platform.claude.com → API keys.'

  readonly defaults = {
    baseUrl: 'https://api.anthropic.com',
    apiType: 'anthropic-messages',
    models: [
      { id: 'claude-opus-5', name: 'Claude Opus 5', contextWindow: 1_000_000, maxTokens: 128_000 },
      {
        id: 'claude-sonnet-5',
        name: 'Claude Sonnet 5',
        contextWindow: 1_000_000,
        maxTokens: 128_000,
      },
      {
        id: 'claude-haiku-4-5',
        name: 'Claude Haiku 4.5',
        contextWindow: 200_000,
        maxTokens: 64_000,
      },
    ],
  }

  readonly fields: LlmField[] = [
    { name: 'apiKey', label: 'API key', required: true, placeholder: 'sk-ant-…' },
    {
      name: 'baseUrl',
      label: 'Address',
      required: false,
      help: 'Only for a proxy of your own. It ends before /v1.',
      placeholder: 'https://api.anthropic.com',
    },
    { name: 'models', label: 'Models', required: true },
  ]

  async testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest> {
    const { baseUrl, apiKey } = connection
    const result = await testConnection({ ...options, label: this.label }, (ask) => {
      const headers = new Headers({ 'anthropic-version': API_VERSION })
      if (apiKey) this.authorize(headers, apiKey)

      return listOrComplete({
        declared: connection.models,
        list: async () =>
          this.#readModels(await ask(`${baseUrl}/v1/models?limit=1000`, { headers })),
        complete: async (model) => {
          const body = { model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }
          const answer = await ask(`${baseUrl}/v1/messages`, jsonPost(headers, body))
          if (!Array.isArray((answer as any)?.content)) throw badAnswer(this.label)
        },
      })
    })
    return { ...result, models: withKnown(result.models, this.defaults.models) }
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text', 'image'] })
  }

  tidyBaseUrl(baseUrl: string): string {
    return baseUrl.replace(/\/v1(\/messages)?$/, '')
  }

  authorize(headers: Headers, apiKey: string): void {
    headers.set('x-api-key', apiKey)
  }

  #readModels(answer: unknown): LlmModel[] {
    const list = (answer as any)?.data
    if (!Array.isArray(list)) throw badAnswer(this.label)
    return list
      .filter((entry) => typeof entry?.id === 'string' && entry.id !== '')
      .map(({ id, display_name: name }) => ({ id, name: typeof name === 'string' ? name : id }))
  }
}

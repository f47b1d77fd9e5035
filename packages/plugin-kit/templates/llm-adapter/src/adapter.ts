import {
  authorizeBearer,
  openClawEntry,
  testOpenAiApi,
  type ConnectionTest,
  type LlmAdapter,
  type LlmConnection,
  type LlmField,
  type OpenClawEntry,
  type OpenClawProvider,
  type TestOptions,
} from '@mosaic/plugin-kit/llm'

/** Acme, a service with an OpenAI-compatible API. */
export class AcmeAdapter implements LlmAdapter {
  readonly type = 'acme'
  readonly label = 'Acme'
  readonly description = 'Models from Acme. The key comes from acme.example → API keys.'

  /** Start here: the service's address, its API family, and the models to propose. */
  readonly defaults = {
    baseUrl: 'https://api.acme.example/v1',
    apiType: 'openai-completions',
    models: [{ id: 'acme-1', name: 'Acme 1', contextWindow: 128_000 }],
  }

  readonly fields: LlmField[] = [
    { name: 'apiKey', label: 'API key', required: true },
    { name: 'baseUrl', label: 'Address', required: false, help: 'Only for a proxy of your own.' },
    { name: 'models', label: 'Models', required: true },
  ]

  testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest> {
    return testOpenAiApi(connection, { ...options, label: this.label })
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text'] })
  }

  authorize(headers: Headers, apiKey: string): void {
    authorizeBearer(headers, apiKey)
  }
}

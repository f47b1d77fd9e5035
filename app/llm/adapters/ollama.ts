import type {
  ConnectionTest,
  EmbeddingInput,
  Embeddings,
  LlmAdapter,
  LlmConnection,
  LlmField,
  LlmModel,
  OpenClawEntry,
  OpenClawProvider,
  TestOptions,
} from '#llm/contract'
import { badAnswer, testConnection } from '#llm/connection_test'
import { embedBy } from '#llm/embeddings'
import { authorizeBearer } from '#llm/openai_api'
import { openClawEntry } from '#llm/openclaw_entry'

/** An Ollama server, over its own API. The base URL has no `/v1`. */
export class OllamaAdapter implements LlmAdapter {
  readonly type = 'ollama'
  readonly label = 'Ollama'
  readonly description = 'Open models on a computer of your own, served by Ollama.'

  readonly defaults = {
    baseUrl: 'http://127.0.0.1:11434',
    apiType: 'ollama',
    models: [] as LlmModel[],
  }

  readonly fields: LlmField[] = [
    {
      name: 'baseUrl',
      label: 'Address',
      required: false,
      help: 'Where Ollama listens, as seen from the machine that Mosaic runs on.',
      placeholder: 'http://127.0.0.1:11434',
    },
    {
      name: 'apiKey',
      label: 'API key',
      required: false,
      help: 'Only where a proxy in front of Ollama wants one.',
    },
    {
      name: 'models',
      label: 'Models',
      required: true,
      help: 'A test of the connection finds those that are pulled.',
    },
  ]

  testConnection(
    { baseUrl, apiKey }: LlmConnection,
    options: TestOptions
  ): Promise<ConnectionTest> {
    return testConnection({ ...options, label: this.label }, async (ask) => {
      const headers = new Headers()
      if (apiKey) this.authorize(headers, apiKey)
      return this.#readModels(await ask(`${baseUrl}/api/tags`, { headers }))
    })
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text'], plugins: ['ollama'] })
  }

  tidyBaseUrl(baseUrl: string): string {
    return baseUrl.replace(/\/(v1|api)$/, '')
  }

  authorize(headers: Headers, apiKey: string): void {
    authorizeBearer(headers, apiKey)
  }

  embed(
    connection: LlmConnection,
    { model, texts }: EmbeddingInput,
    options: TestOptions
  ): Promise<Embeddings> {
    return embedBy(connection, texts.length, {
      ...options,
      label: this.label,
      path: '/api/embed',
      body: { model, input: texts },
      read: (answer) => ({ vectors: answer.embeddings, tokens: answer.prompt_eval_count }),
    })
  }

  #readModels(answer: unknown): LlmModel[] {
    const list = (answer as any)?.models
    if (!Array.isArray(list)) throw badAnswer(this.label)
    return list
      .map((entry) => entry?.model ?? entry?.name)
      .filter((id) => typeof id === 'string' && id !== '')
      .map((id) => ({ id, name: id }))
  }
}

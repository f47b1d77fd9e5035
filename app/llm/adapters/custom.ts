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
import { embedByOpenAiApi } from '#llm/embeddings'
import { authorizeBearer, testOpenAiApi } from '#llm/openai_api'
import { openClawEntry } from '#llm/openclaw_entry'

/** Any service that speaks OpenAI's API: vLLM, LM Studio, OpenRouter, LiteLLM and others. */
export class CustomAdapter implements LlmAdapter {
  readonly type = 'custom'
  readonly label = 'OpenAI-compatible service'
  readonly description =
    "Anything that speaks OpenAI's API: vLLM, LM Studio, OpenRouter, LiteLLM and many more."

  readonly defaults = {
    baseUrl: null,
    apiType: 'openai-completions',
    models: [] as LlmModel[],
  }

  readonly fields: LlmField[] = [
    {
      name: 'baseUrl',
      label: 'Address',
      required: true,
      help: 'The part before /chat/completions. It usually ends in /v1.',
      placeholder: 'https://example.com/v1',
    },
    {
      name: 'apiKey',
      label: 'API key',
      required: false,
      help: 'Leave it empty where the service wants none.',
    },
    {
      name: 'apiType',
      label: 'API',
      required: false,
      help: 'Nearly all know Chat Completions; choose Responses only where the service says so.',
      options: [
        { value: 'openai-completions', label: 'Chat Completions' },
        { value: 'openai-responses', label: 'Responses' },
      ],
    },
    { name: 'models', label: 'Models', required: true },
  ]

  testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest> {
    return testOpenAiApi(connection, { ...options, label: 'The service' })
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text', 'image'] })
  }

  /** Strips the endpoint, because people paste the whole URL of an example request. */
  tidyBaseUrl(baseUrl: string): string {
    return baseUrl.replace(/\/(chat\/completions|responses)$/, '')
  }

  authorize(headers: Headers, apiKey: string): void {
    authorizeBearer(headers, apiKey)
  }

  embed(
    connection: LlmConnection,
    input: EmbeddingInput,
    options: TestOptions
  ): Promise<Embeddings> {
    return embedByOpenAiApi(connection, input, { ...options, label: 'The service' })
  }
}

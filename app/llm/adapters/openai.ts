import type {
  ConnectionTest,
  EmbeddingInput,
  Embeddings,
  LlmAdapter,
  LlmConnection,
  LlmField,
  OpenClawEntry,
  OpenClawProvider,
  TestOptions,
} from '#llm/contract'
import { embedByOpenAiApi } from '#llm/embeddings'
import { withKnown } from '#llm/known_models'
import { authorizeBearer, testOpenAiApi } from '#llm/openai_api'
import { openClawEntry } from '#llm/openclaw_entry'

/** IDs in OpenAI's list that are not chat models: images, audio, embeddings, moderation, text completion. */
const NOT_FOR_CHAT =
  /embedding|image|dall-e|sora|tts|whisper|transcribe|audio|realtime|moderation|davinci|babbage|instruct|computer-use/

/** OpenAI, or any service that speaks all of its API. */
export class OpenAiAdapter implements LlmAdapter {
  readonly type = 'openai'
  readonly label = 'OpenAI'
  readonly description =
    'GPT models from OpenAI. The key comes from platform.openai.com → API keys.'

  readonly defaults = {
    baseUrl: 'https://api.openai.com/v1',
    apiType: 'openai-responses',
    models: [
      { id: 'gpt-5.5', name: 'GPT-5.5', contextWindow: 1_050_000, maxTokens: 128_000 },
      { id: 'gpt-5.4', name: 'GPT-5.4', contextWindow: 1_050_000, maxTokens: 128_000 },
      { id: 'gpt-5.4-mini', name: 'GPT-5.4 Mini', contextWindow: 400_000, maxTokens: 128_000 },
    ],
  }

  readonly fields: LlmField[] = [
    { name: 'apiKey', label: 'API key', required: true, placeholder: 'sk-…' },
    {
      name: 'baseUrl',
      label: 'Address',
      required: false,
      help: 'Only for a proxy or a region of your own. It ends in /v1.',
      placeholder: 'https://api.openai.com/v1',
    },
    {
      name: 'apiType',
      label: 'API',
      required: false,
      help: 'Responses is what OpenAI recommends; most proxies know only Chat Completions.',
      options: [
        { value: 'openai-responses', label: 'Responses' },
        { value: 'openai-completions', label: 'Chat Completions' },
      ],
    },
    { name: 'models', label: 'Models', required: true },
  ]

  async testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest> {
    const result = await testOpenAiApi(connection, { ...options, label: this.label })
    const models = result.models.filter(({ id }) => !NOT_FOR_CHAT.test(id))
    return { ...result, models: withKnown(models, this.defaults.models) }
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text', 'image'] })
  }

  authorize(headers: Headers, apiKey: string): void {
    authorizeBearer(headers, apiKey)
  }

  embed(
    connection: LlmConnection,
    input: EmbeddingInput,
    options: TestOptions
  ): Promise<Embeddings> {
    return embedByOpenAiApi(connection, input, { ...options, label: this.label })
  }
}

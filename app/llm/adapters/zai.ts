import type {
  ConnectionTest,
  LlmAdapter,
  LlmConnection,
  LlmField,
  OpenClawEntry,
  OpenClawProvider,
  TestOptions,
} from '#llm/contract'
import { withKnown } from '#llm/known_models'
import { authorizeBearer, testOpenAiApi } from '#llm/openai_api'
import { openClawEntry } from '#llm/openclaw_entry'

/** Z.AI: the GLM models, over an OpenAI-like API. */
export class ZaiAdapter implements LlmAdapter {
  readonly type = 'zai'
  readonly label = 'Z.AI'
  readonly description = 'GLM models from Z.AI. The key comes from z.ai → API keys.'

  readonly defaults = {
    baseUrl: 'https://api.z.ai/api/paas/v4',
    apiType: 'openai-completions',
    models: [
      { id: 'glm-5.2', name: 'GLM-5.2', contextWindow: 1_000_000 },
      { id: 'glm-5.3', name: 'GLM-5.3', contextWindow: 1_048_576 },
      { id: 'glm-5-turbo', name: 'GLM-5 Turbo', contextWindow: 200_000 },
    ],
  }

  readonly fields: LlmField[] = [
    { name: 'apiKey', label: 'API key', required: true },
    {
      name: 'baseUrl',
      label: 'Address',
      required: false,
      help: 'Keys of a Coding Plan need https://api.z.ai/api/coding/paas/v4, keys from mainland China https://open.bigmodel.cn/api/paas/v4.',
      placeholder: 'https://api.z.ai/api/paas/v4',
    },
    { name: 'models', label: 'Models', required: true },
  ]

  async testConnection(connection: LlmConnection, options: TestOptions): Promise<ConnectionTest> {
    const result = await testOpenAiApi(connection, { ...options, label: this.label })
    return { ...result, models: withKnown(result.models, this.defaults.models) }
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text'] })
  }

  authorize(headers: Headers, apiKey: string): void {
    authorizeBearer(headers, apiKey)
  }
}

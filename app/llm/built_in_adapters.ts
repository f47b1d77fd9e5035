import { configProvider } from '@adonisjs/core'
import type { LlmAdapterFactory } from '#llm/define_config'

/** Built-in adapters, imported on first use of the registry. */
export const adapters = {
  openai: () =>
    configProvider.create<LlmAdapterFactory>(async () => {
      const { OpenAiAdapter } = await import('#llm/adapters/openai')
      return () => new OpenAiAdapter()
    }),
  anthropic: () =>
    configProvider.create<LlmAdapterFactory>(async () => {
      const { AnthropicAdapter } = await import('#llm/adapters/anthropic')
      return () => new AnthropicAdapter()
    }),
  zai: () =>
    configProvider.create<LlmAdapterFactory>(async () => {
      const { ZaiAdapter } = await import('#llm/adapters/zai')
      return () => new ZaiAdapter()
    }),
  ollama: () =>
    configProvider.create<LlmAdapterFactory>(async () => {
      const { OllamaAdapter } = await import('#llm/adapters/ollama')
      return () => new OllamaAdapter()
    }),
  custom: () =>
    configProvider.create<LlmAdapterFactory>(async () => {
      const { CustomAdapter } = await import('#llm/adapters/custom')
      return () => new CustomAdapter()
    }),
  demo: () =>
    configProvider.create<LlmAdapterFactory>(async () => {
      const { DemoAdapter } = await import('#llm/adapters/demo')
      return () => new DemoAdapter()
    }),
}

import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import type { LlmAdapter } from '#llm/contract'

/** Creates an adapter. Called once. */
export type LlmAdapterFactory = () => LlmAdapter

export interface LlmConfig {
  /** Keyed by the `type` of their providers. */
  adapters: Record<string, LlmAdapterFactory>
}

/** Declares the kinds of LLM services that an installation's providers can be. */
export function defineConfig(config: {
  adapters: Record<string, ConfigProvider<LlmAdapterFactory> | LlmAdapterFactory>
}): ConfigProvider<LlmConfig> {
  return configProvider.create(async (app) => {
    const resolved = await Promise.all(
      Object.entries(config.adapters).map(async ([type, adapter]) => {
        const factory = typeof adapter === 'function' ? adapter : await adapter.resolver(app)
        return [type, factory] as const
      })
    )
    return { adapters: Object.fromEntries(resolved) }
  })
}

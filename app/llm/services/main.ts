import app from '@adonisjs/core/services/app'
import type { LlmRegistry } from '#llm/registry'

let llm: LlmRegistry

/** The kinds of LLM services of this application, made by `providers/llm_provider.ts`. */
await app.booted(async () => {
  llm = await app.container.make('llm.registry')
})

export { llm as default }

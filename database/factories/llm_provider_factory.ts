import Factory from '@adonisjs/lucid/factories'
import { createId } from '#models/row_id'
import LlmProvider from '#models/llm_provider'
import { UserFactory } from '#database/factories/user_factory'

export const LlmProviderFactory = Factory.define(LlmProvider, () => {
  const id = createId()
  return {
    id,
    name: `provider-${id}`,
    displayName: 'A provider',
    type: 'custom',
    baseUrl: 'http://127.0.0.1:9/v1',
    apiType: 'openai-completions',
    models: [{ id: 'test-model', name: 'Test model' }],
    isActive: true,
  }
})
  .relation('user', () => UserFactory)
  .build()

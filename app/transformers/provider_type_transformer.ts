import { BaseTransformer } from '@adonisjs/core/transformers'
import type { LlmAdapter } from '#llm/contract'

/** A type of LLM service, for the form that adds a provider. */
export default class ProviderTypeTransformer extends BaseTransformer<LlmAdapter> {
  toObject() {
    return this.pick(this.resource, ['type', 'label', 'description', 'defaults', 'fields'])
  }
}

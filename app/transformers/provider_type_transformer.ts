import { BaseTransformer } from '@adonisjs/core/transformers'
import type { LlmAdapter } from '#llm/contract'

/** How one kind of LLM service describes itself to the form that adds a provider. */
export default class ProviderTypeTransformer extends BaseTransformer<LlmAdapter> {
  toObject() {
    return this.pick(this.resource, ['type', 'label', 'description', 'defaults', 'fields'])
  }
}

import { BaseTransformer } from '@adonisjs/core/transformers'
import type LlmProvider from '#models/llm_provider'

/** A provider for its owner. The key is write-only. */
export default class ProviderTransformer extends BaseTransformer<LlmProvider> {
  toObject() {
    const provider = this.resource
    return {
      ...this.pick(provider, [
        'id',
        'type',
        'name',
        'displayName',
        'apiType',
        'models',
        'isActive',
      ]),
      /** Null stands for the service's own address. */
      baseUrl: provider.baseUrl ?? null,
      apiKey: {
        set: Boolean(provider.apiKey),
        last4: provider.apiKeyLast4 ?? null,
        updatedAt: provider.apiKeyUpdatedAt?.toUTC().toISO() ?? null,
      },
      createdAt: provider.createdAt.toUTC().toISO(),
      updatedAt: provider.updatedAt.toUTC().toISO(),
    }
  }
}

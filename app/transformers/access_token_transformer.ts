import { BaseTransformer } from '@adonisjs/core/transformers'
import type { AccessToken } from '@adonisjs/auth/access_tokens'

/** An access token without its value, which only the creating controller shows, once. */
export default class AccessTokenTransformer extends BaseTransformer<AccessToken> {
  toObject() {
    const { identifier, name, abilities, createdAt, lastUsedAt, expiresAt } = this.resource
    return {
      id: String(identifier),
      name,
      abilities,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
      expiresAt: expiresAt?.toISOString() ?? null,
    }
  }
}

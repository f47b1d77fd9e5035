import { BaseTransformer } from '@adonisjs/core/transformers'
import { abilitiesOf, userNamesConversation } from '#identity/access_tokens'
import type { AccessToken } from '@adonisjs/auth/access_tokens'

/** An access token without its value, which only the creating controller shows, once. */
export default class AccessTokenTransformer extends BaseTransformer<AccessToken> {
  toObject() {
    const { identifier, name, abilities, createdAt, lastUsedAt, expiresAt } = this.resource
    return {
      id: String(identifier),
      name,
      abilities: abilitiesOf(abilities),
      userNamesConversation: userNamesConversation(abilities),
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
      expiresAt: expiresAt?.toISOString() ?? null,
    }
  }
}

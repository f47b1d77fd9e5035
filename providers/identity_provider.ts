import type { ApplicationService } from '@adonisjs/core/types'
import type { Audit } from '#audit/audit'
import type { AccessTokens } from '#identity/access_tokens'
import { declareAccessMacros } from '#identity/access_rules'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'audit': Audit
    'identity.tokens': AccessTokens
  }
}

/** Registers who may come in: the routes' access rules, access tokens and the audit record. */
export default class IdentityProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('audit', async () => {
      const { Audit } = await import('#audit/audit')
      return new Audit()
    })
    this.app.container.singleton('identity.tokens', async () => {
      const { AccessTokens } = await import('#identity/access_tokens')
      return new AccessTokens()
    })
  }

  boot() {
    declareAccessMacros()
  }
}

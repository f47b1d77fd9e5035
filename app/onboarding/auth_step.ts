import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import type { Settings } from '#settings/settings'
import type { OidcDiscovery } from '#onboarding/oidc_discovery'

export interface OidcClient {
  issuerUrl: string
  clientId: string
  clientSecret: string
}

/** Stores the identity provider that users will sign in with, once it has really answered. */
export class AuthStep {
  constructor(
    protected settings: Settings,
    protected discovery: OidcDiscovery,
    protected audit: Audit
  ) {}

  /** @throws E_ONBOARDING_STEP when the issuer does not answer as one */
  async store({ issuerUrl, clientId, clientSecret }: OidcClient, { user, address }: Actor) {
    await this.discovery.check(issuerUrl)
    await this.settings.patch({
      'oidc.issuerUrl': issuerUrl,
      'oidc.clientId': clientId,
      'oidc.clientSecret': clientSecret,
    })
    await this.audit.record({
      actor: user,
      action: 'oidc.configured',
      details: { issuerUrl, clientId },
      address,
    })
  }
}

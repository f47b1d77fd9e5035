import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import type { Settings } from '#settings/settings'
import type { OidcDiscovery } from '#identity/oidc/discovery'

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

  /** @throws E_OIDC_ISSUER when the issuer does not answer as one */
  async store({ issuerUrl, clientId, clientSecret }: OidcClient, { user, address }: Actor) {
    const { issuer } = await this.discovery.read(issuerUrl)
    await this.settings.patch({
      'oidc.issuerUrl': issuer,
      'oidc.clientId': clientId,
      'oidc.clientSecret': clientSecret,
    })
    await this.audit.record({
      actor: user,
      action: 'oidc.configured',
      details: { issuerUrl: issuer, clientId },
      address,
    })
  }
}

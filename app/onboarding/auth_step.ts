import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import type { Settings } from '#settings/settings'
import type { OidcDiscovery } from '#identity/oidc/discovery'

export interface OidcClient {
  issuerUrl: string
  clientId: string
  clientSecret: string
}

/** Stores the identity provider for sign-in, after checking that it answers. */
export class AuthStep {
  constructor(
    protected settings: Settings,
    protected discovery: OidcDiscovery,
    protected audit: Audit
  ) {}

  /** @throws E_OIDC_ISSUER if the address does not answer as an issuer */
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

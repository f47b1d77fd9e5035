import type { Actor } from '#settings/actor'
import type { Settings } from '#settings/settings'
import type { SettingsChanges } from '#settings/settings_changes'
import type { OidcClient, OidcInspection } from '#identity/oidc/client'
import { oidcConfig } from '#identity/oidc/config'
import type { OidcDiscovery } from '#identity/oidc/discovery'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import { E_OIDC_NOT_SET_UP } from '#identity/oidc/errors'

export interface OidcInput {
  issuerUrl: string
  clientId: string
  /** Omitted: unchanged. */
  clientSecret?: string
  name?: string | null
  scopes?: string
}

/** Single sign-on settings, as an admin edits them. */
export class OidcSetup {
  constructor(
    protected settings: Settings,
    protected changes: SettingsChanges,
    protected discovery: OidcDiscovery,
    protected client: OidcClient,
    protected enforcement: OidcEnforcement
  ) {}

  async describe() {
    const { settings, enforcement } = this
    return {
      issuerUrl: await settings.get('oidc.issuerUrl'),
      clientId: await settings.get('oidc.clientId'),
      clientSecret: { set: (await settings.get('oidc.clientSecret')) !== null },
      name: await settings.get('oidc.name'),
      scopes: await settings.get('oidc.scopes'),
      signUp: await settings.get('oidc.signUp'),
      roleClaim: await settings.get('oidc.roleClaim'),
      adminValues: await settings.get('oidc.adminValues'),
      memberValues: await settings.get('oidc.memberValues'),
      only: await settings.get('oidc.only'),
      /** Whether a test sign-in succeeded with these settings. */
      tested: await enforcement.isTested(),
      /** Whether single sign-on is the only way to sign in now. */
      inForce: await enforcement.isInForce(),
    }
  }

  /** @throws E_OIDC_ISSUER, E_OIDC_SECRET_NEEDED; nothing is stored then */
  async store({ issuerUrl, clientId, clientSecret, name, scopes }: OidcInput, by: Actor) {
    const { issuer } = await this.discovery.read(issuerUrl)
    await this.changes.apply(
      {
        'oidc.issuerUrl': issuer,
        'oidc.clientId': clientId,
        ...(clientSecret !== undefined && { 'oidc.clientSecret': clientSecret }),
        ...(name !== undefined && { 'oidc.name': name }),
        ...(scopes !== undefined && { 'oidc.scopes': scopes }),
      },
      by
    )
  }

  /** Fetches the provider's discovery document and keys. @throws E_OIDC_ISSUER, E_OIDC_NOT_SET_UP */
  async inspect(): Promise<OidcInspection> {
    const config = await oidcConfig(this.settings)
    if (!config) throw new E_OIDC_NOT_SET_UP()
    return this.client.inspect(config)
  }
}

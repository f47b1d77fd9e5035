import type { Settings } from '#settings/settings'
import type { Admission, ReadyService } from '#identity/services/ready_service'
import type { OidcClient } from '#identity/oidc/client'
import { oidcConfig } from '#identity/oidc/config'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import { OidcDriver, oidcIdentity } from '#identity/oidc/driver'

/** The configured OpenID provider as a sign-in service. */
export class OidcService {
  readonly name = 'oidc'

  constructor(
    protected settings: Settings,
    protected client: OidcClient,
    protected enforcement: OidcEnforcement
  ) {}

  /** Returns null while single sign-on is not set up. */
  async ready(): Promise<ReadyService | null> {
    const config = await oidcConfig(this.settings)
    if (!config) return null
    const { client } = this
    return {
      name: this.name,
      label: await this.#label(config.issuerUrl),
      admission: await this.#admission(),
      fingerprint: config.fingerprint,
      confirms: true,
      driver: (ctx, pending) => new OidcDriver(ctx, { client, provider: config, pending }),
      identityOf: oidcIdentity,
      noteTest: () => this.enforcement.noteTest(config.fingerprint),
    }
  }

  /**
   * Returns the URL that also signs out at the provider, or null: signing out never fails because of the
   * provider.
   */
  async signOutUrl(idToken: string, backTo: string): Promise<string | null> {
    try {
      const config = await oidcConfig(this.settings)
      return config && (await this.client.signOutUrl(config, idToken, backTo))
    } catch {
      return null
    }
  }

  async #label(issuerUrl: string): Promise<string> {
    return (await this.settings.get('oidc.name')) ?? URL.parse(issuerUrl)?.hostname ?? issuerUrl
  }

  async #admission(): Promise<Admission> {
    const { settings } = this
    return {
      rules: {
        claim: await settings.get('oidc.roleClaim'),
        adminValues: await settings.get('oidc.adminValues'),
        memberValues: await settings.get('oidc.memberValues'),
      },
      signUp: await settings.get('oidc.signUp'),
    }
  }
}

import type { Settings } from '#settings/settings'
import type { Admission, ReadyService } from '#identity/services/contract'
import type { OidcClient } from '#identity/oidc/client'
import { oidcConfig } from '#identity/oidc/config'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import { OidcDriver, oidcIdentity } from '#identity/oidc/driver'

/** The OpenID provider of this installation as a service to sign in with, from its settings. */
export class OidcService {
  readonly name = 'oidc'

  constructor(
    protected settings: Settings,
    protected client: OidcClient,
    protected enforcement: OidcEnforcement
  ) {}

  /** Null while single sign-on is not set up. */
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

  /** Where to sign out at the provider too, or null: leaving never fails for the provider's sake. */
  async signOutUrl(idToken: string, backTo: string): Promise<string | null> {
    const config = await oidcConfig(this.settings)
    if (!config) return null
    return this.client.signOutUrl(config, idToken, backTo).catch(() => null)
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

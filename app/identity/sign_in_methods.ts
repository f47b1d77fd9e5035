import type { Settings } from '#settings/settings'
import type { OidcEnforcement } from '#identity/oidc/enforcement'

export interface SignInMethodList {
  /** The identity provider by its name, or null while none is set up. */
  oidc: { name: string; url: string } | null
  /** Whose passwords are taken. Those of the local admin accounts always are. */
  passwords: 'all' | 'breakglass'
}

/** How one may sign in here. Anyone may ask, so it names nobody. */
export class SignInMethods {
  constructor(
    protected settings: Settings,
    protected enforcement: OidcEnforcement
  ) {}

  async list(): Promise<SignInMethodList> {
    const issuerUrl = await this.settings.get('oidc.issuerUrl')
    const clientId = await this.settings.get('oidc.clientId')
    const name = (await this.settings.get('oidc.name')) ?? URL.parse(issuerUrl ?? '')?.hostname
    return {
      oidc: issuerUrl && clientId ? { name: name ?? issuerUrl, url: '/auth/oidc/start' } : null,
      passwords: (await this.enforcement.isInForce()) ? 'breakglass' : 'all',
    }
  }
}

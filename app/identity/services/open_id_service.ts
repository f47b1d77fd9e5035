import type { HttpContext } from '@adonisjs/core/http'
import type {
  AddressField,
  Identity,
  ServiceClient,
  SignInMeans,
  SignInService,
  SignInUser,
} from '#identity/services/contract'
import { SIGN_IN_CHECKS } from '#identity/services/contract'
import { E_SERVICE_ADDRESS } from '#identity/services/errors'
import { fingerprintOf, type OidcConfig } from '#identity/oidc/config'
import type { OidcClient } from '#identity/oidc/client'
import { OidcDriver, oidcIdentity } from '#identity/oidc/driver'
import { E_OIDC_ISSUER } from '#identity/oidc/errors'

/** Additional dependencies of an OpenID Connect service. */
export interface OpenIdMeans extends SignInMeans {
  oidc: OidcClient
}

/** A service that speaks OpenID Connect, over the single sign-on driver, with all its checks. */
export abstract class OpenIdService implements SignInService {
  abstract readonly name: string
  abstract readonly label: string
  abstract readonly registerAt: string
  abstract readonly address?: AddressField
  readonly checks = SIGN_IN_CHECKS

  /** The issuer of its id_tokens, as its discovery document names it. */
  protected abstract issuerOf(client: ServiceClient): string

  driver(ctx: HttpContext, { client, pending, oidc }: OpenIdMeans) {
    return new OidcDriver(ctx, { client: oidc, provider: this.#provider(client), pending })
  }

  /** Signing out here keeps the person signed in there: that session is theirs, not the installation's. */
  identityOf(user: SignInUser): Identity {
    return { ...oidcIdentity(user), idToken: null }
  }

  /** @throws E_SERVICE_ADDRESS */
  async look(client: ServiceClient, { oidc }: Pick<OpenIdMeans, 'fetch' | 'oidc'>): Promise<void> {
    try {
      await oidc.inspect(this.#provider(client))
    } catch (error) {
      if (!(error instanceof E_OIDC_ISSUER)) throw error
      throw new E_SERVICE_ADDRESS(error.message, error.help)
    }
  }

  #provider(client: ServiceClient): OidcConfig {
    const { clientId, clientSecret } = client
    const issuerUrl = this.issuerOf(client)
    const chosen = { issuerUrl, clientId, clientSecret, scopes: 'openid profile email' }
    return { ...chosen, fingerprint: fingerprintOf(chosen) }
  }
}

import type { HttpContext } from '@adonisjs/core/http'
import type { Oauth2Driver } from '@adonisjs/ally'
import { E_SIGN_IN_REFUSED } from '#identity/services/errors'
import { GuardedRequest } from '#identity/services/guarded_request'
import type { Identity, SignInMeans, SignInUser } from '#identity/services/contract'

type Driver = abstract new (...args: any[]) => Oauth2Driver<any, any>

/**
 * Binds an Ally driver to one sign-in of the browser's session. State and PKCE verifier belong to that sign-in
 * instead of to cookies that the next tab overwrites, and PKCE is always used, whatever the driver does.
 * Requests go through the guarded fetch. `config.means` carries both.
 */
export function boundDriver<Base extends Driver>(driver: Base) {
  abstract class BoundDriver extends driver {
    protected override loadState(): void {
      this.stateCookieValue = meansOf(this).pending.state
    }

    protected override getPkceCodeVerifierForRedirect(): string {
      return meansOf(this).pending.verifier
    }

    protected override getPkceCodeVerifierForAccessToken(): string {
      return meansOf(this).pending.verifier
    }

    protected override httpClient(url: string): GuardedRequest {
      return new GuardedRequest(url, meansOf(this).fetch)
    }
  }
  return BoundDriver as unknown as new (ctx: HttpContext, config: any) => InstanceType<Base>
}

/** A function, because `loadState` runs before the subclass's members are initialised. */
const meansOf = ({ config }: Oauth2Driver<any, any>) =>
  (config as unknown as { means: SignInMeans }).means

/** The configuration that every OAuth 2.0 driver of Ally takes. */
export const clientConfig = (means: SignInMeans) => ({
  clientId: means.client.clientId,
  clientSecret: means.client.clientSecret,
  callbackUrl: means.pending.redirectUri,
  means,
})

/**
 * Returns the identity of the user that an Ally driver reports. The service's own ID is the subject: addresses
 * and names change hands.
 *
 * @throws E_SIGN_IN_REFUSED if there is none
 */
export function identityAt(issuer: string, user: SignInUser): Identity {
  const { name, nickName, email, emailVerificationState } = user
  /** Ally's type says string; drivers pass on whatever the service sends. */
  const id: unknown = user.id
  const isId = typeof id === 'string' ? id !== '' : Number.isSafeInteger(id)
  if (!isId) throw new E_SIGN_IN_REFUSED('invalid')
  return {
    issuer,
    subject: String(id),
    claims: {
      sub: String(id),
      name,
      preferred_username: nickName,
      email,
      email_verified: emailVerificationState === 'verified',
    },
    idToken: null,
    signedInAt: null,
  }
}

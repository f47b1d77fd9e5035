import type { HttpContext } from '@adonisjs/core/http'
import { RuntimeException } from '@adonisjs/core/exceptions'
import { RedirectRequest } from '@adonisjs/ally'
import type {
  AllyDriverContract,
  AllyUserContract,
  Oauth2AccessToken,
  RedirectRequestContract,
} from '@adonisjs/ally/types'
import type { Identity, PendingSignIn, SignInUser } from '#identity/services/contract'
import type { OidcClient, OidcTokens } from '#identity/oidc/client'
import type { OidcConfig } from '#identity/oidc/config'

export type OidcToken = Oauth2AccessToken & { idToken: string }

export interface OidcDriverConfig {
  client: OidcClient
  provider: OidcConfig
  /** The sign-in that this request starts or completes. */
  pending: PendingSignIn
}

/**
 * Ally driver for any OpenID provider, over `openid-client`. Checks state, PKCE, nonce, issuer, audience, times
 * and signature, and `auth_time` if a fresh sign-in was requested. The caller keeps the state in the browser's
 * session, so several sign-ins can be in progress.
 *
 * Every method that calls the provider throws E_SIGN_IN_REFUSED with the reason.
 */
export class OidcDriver implements AllyDriverContract<OidcToken, string> {
  readonly version = 'oauth2'

  constructor(
    protected ctx: HttpContext,
    readonly config: OidcDriverConfig
  ) {}

  /** Ally offers it for stateless clients; a sign-in without state could come from anyone. */
  stateless(): this {
    throw new RuntimeException('A sign-in with an OpenID provider always has a state')
  }

  async redirectUrl(callback?: (request: RedirectRequestContract) => void): Promise<string> {
    const { client, provider, pending } = this.config
    const url = await client.authorizationUrl(provider, pending)
    const request = new RedirectRequest(url, 'scope', ' ')
    callback?.(request)
    return request.makeUrl()
  }

  async redirect(callback?: (request: RedirectRequestContract) => void): Promise<void> {
    this.ctx.response.redirect(await this.redirectUrl(callback))
  }

  hasCode(): boolean {
    return this.getCode() !== null
  }

  getCode(): string | null {
    return this.#answer.get('code')
  }

  hasError(): boolean {
    return this.getError() !== null
  }

  getError(): string | null {
    return this.#answer.get('error') ?? (this.hasCode() ? null : 'unknown_error')
  }

  accessDenied(): boolean {
    return this.getError() === 'access_denied'
  }

  stateMisMatch(): boolean {
    return this.#answer.get('state') !== this.config.pending.state
  }

  async accessToken(): Promise<OidcToken> {
    return tokenOf(await this.#exchange())
  }

  async user(): Promise<AllyUserContract<OidcToken>> {
    const tokens = await this.#exchange()
    const claims = await this.config.client.claims(this.config.provider, tokens)
    return { ...profileOf(claims), token: tokenOf(tokens) }
  }

  /** A bare token does not prove which client it was issued to. */
  async userFromToken(): Promise<never> {
    throw new RuntimeException('An OpenID provider vouches for a person with its id_token alone')
  }

  async userFromTokenAndSecret(): Promise<never> {
    throw new RuntimeException('OpenID Connect knows no token secret')
  }

  #exchange(): Promise<OidcTokens> {
    const { client, provider, pending } = this.config
    return client.exchange(provider, pending, this.#answer)
  }

  get #answer(): URLSearchParams {
    return new URLSearchParams(this.ctx.request.parsedUrl.query ?? '')
  }
}

/** Returns the identity from the driver's result; the claims contain all of it. */
export function oidcIdentity({ id, original, token }: SignInUser): Identity {
  const claims = original as Record<string, unknown>
  const { iss, auth_time: signedInAt } = claims
  return {
    issuer: String(iss),
    subject: id,
    claims,
    idToken: token.idToken,
    signedInAt: typeof signedInAt === 'number' ? signedInAt * 1000 : null,
  }
}

const tokenOf = ({ access_token: token, id_token: idToken }: OidcTokens): OidcToken => ({
  token,
  type: 'bearer',
  idToken: idToken!,
})

function profileOf(claims: Record<string, unknown> & { sub: string }) {
  const text = (name: string) => (typeof claims[name] === 'string' ? claims[name] : null)
  const { sub, email_verified: verified } = claims
  return {
    id: sub,
    nickName: text('preferred_username') ?? sub,
    name: text('name') ?? text('preferred_username') ?? sub,
    email: text('email'),
    emailVerificationState: verified === true ? ('verified' as const) : ('unverified' as const),
    avatarUrl: text('picture'),
    original: claims,
  }
}

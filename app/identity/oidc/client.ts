import { LRUCache } from 'lru-cache'
import * as oidc from 'openid-client'
import { parseJson } from '#bounded/json'
import type { Fetch } from '#llm/contract'
import { E_OIDC_ISSUER } from '#identity/oidc/errors'
import type { OidcConfig } from '#identity/oidc/config'
import type { OidcDiscovery } from '#identity/oidc/discovery'
import { limitedText } from '#identity/oidc/limited_text'
import type { PendingSignIn } from '#identity/services/contract'
import { E_SIGN_IN_REFUSED } from '#identity/services/errors'
import { refusalOf } from '#identity/services/refusal'
import { isTrustworthy } from '#identity/trustworthy_url'

/** Cache lifetime of a provider's metadata and keys, in milliseconds. */
const METADATA_AGE_MS = 5 * 60_000

/** Deadline for one call to the provider, in seconds: a person waits for it. */
const TIMEOUT_SEC = 10

/** The provider's response to a code, fully checked. */
export type OidcTokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers

/** Facts about a provider that an admin sees before anyone signs in with it. */
export interface OidcInspection {
  issuer: string
  authorizationEndpoint: string
  keys: number
  /** Whether the provider has a sign-out endpoint. */
  signsOut: boolean
}

/** Cached providers: the configured one, and services that speak OpenID Connect. */
const MAX_KNOWN = 16

/**
 * Authorization code flow with PKCE over `openid-client`. State and nonce are bound to the caller's session;
 * the id_token's issuer, audience, times, nonce and signature are checked. Every request to the provider goes
 * through the guarded fetch.
 */
export class OidcClient {
  /** Keyed by the fingerprint of their settings. */
  readonly #known: LRUCache<string, Promise<oidc.Configuration>>

  constructor(
    protected fetch: Fetch,
    protected discovery: OidcDiscovery,
    now: () => number = Date.now
  ) {
    this.#known = new LRUCache({ max: MAX_KNOWN, ttl: METADATA_AGE_MS, perf: { now } })
  }

  /**
   * Returns the URL that starts the pending sign-in. With `maxAge` the provider is asked to authenticate the
   * person again.
   *
   * @throws E_SIGN_IN_REFUSED if the provider cannot be reached
   */
  async authorizationUrl(config: OidcConfig, pending: PendingSignIn): Promise<string> {
    const configuration = await this.#configuration(config)
    const { state, nonce, verifier, redirectUri, maxAge } = pending
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: config.scopes,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(maxAge !== undefined && { prompt: 'login', max_age: String(maxAge) }),
    })
    return url.href
  }

  /**
   * Second half of a sign-in: exchanges the code and checks the response.
   *
   * @throws E_SIGN_IN_REFUSED with the reason
   */
  async exchange(
    config: OidcConfig,
    { state, nonce, verifier, redirectUri, maxAge }: PendingSignIn,
    parameters: URLSearchParams
  ): Promise<OidcTokens> {
    const configuration = await this.#configuration(config)
    const url = new URL(redirectUri)
    url.search = parameters.toString()
    try {
      return await oidc.authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
        ...(maxAge !== undefined && { maxAge }),
      })
    } catch (error) {
      throw refusalOf(error)
    }
  }

  /**
   * Returns the provider's claims about the person; if userinfo and the signed id_token differ, the id_token
   * wins.
   */
  async claims(config: OidcConfig, tokens: OidcTokens): Promise<oidc.IDToken> {
    const configuration = await this.#configuration(config)
    const idToken = tokens.claims()!
    if (!configuration.serverMetadata().userinfo_endpoint) return idToken
    try {
      const more = await oidc.fetchUserInfo(configuration, tokens.access_token, idToken.sub)
      return { ...more, ...idToken }
    } catch (error) {
      throw refusalOf(error)
    }
  }

  /** Returns the URL that also signs the browser out at the provider, or null if the provider has none. */
  async signOutUrl(config: OidcConfig, idToken: string, backTo: string): Promise<string | null> {
    const configuration = await this.#configuration(config)
    if (!configuration.serverMetadata().end_session_endpoint) return null
    return oidc.buildEndSessionUrl(configuration, {
      id_token_hint: idToken,
      post_logout_redirect_uri: backTo,
    }).href
  }

  /** @throws E_OIDC_ISSUER */
  async inspect(config: OidcConfig): Promise<OidcInspection> {
    const metadata = await this.discovery.read(config.issuerUrl)
    const keys = await this.#keysOf(metadata.jwks_uri!)
    return {
      issuer: metadata.issuer,
      authorizationEndpoint: metadata.authorization_endpoint!,
      keys,
      signsOut: Boolean(metadata.end_session_endpoint),
    }
  }

  async #keysOf(url: string): Promise<number> {
    const keys = await this.fetch(url)
      .then(async (response) => (parseJson(await limitedText(response)) as { keys?: unknown }).keys)
      .catch(() => null)
    if (Array.isArray(keys) && keys.length > 0) return keys.length
    throw new E_OIDC_ISSUER(
      'The keys of the issuer cannot be read.',
      'Check that this server may reach the "jwks_uri" of its discovery document.'
    )
  }

  /** Concurrent callers share one discovery; failures are not cached. */
  #configuration(config: OidcConfig): Promise<oidc.Configuration> {
    const { fingerprint } = config
    const known = this.#known.get(fingerprint)
    if (known) return known
    const configuration = this.#discover(config)
    this.#known.set(fingerprint, configuration)
    configuration.catch(() => {
      if (this.#known.peek(fingerprint) === configuration) this.#known.delete(fingerprint)
    })
    return configuration
  }

  async #discover(config: OidcConfig): Promise<oidc.Configuration> {
    try {
      const metadata = await this.discovery.read(config.issuerUrl)
      const configuration = new oidc.Configuration(
        metadata,
        config.clientId,
        undefined,
        clientAuthentication(metadata, config.clientSecret)
      )
      configuration.timeout = TIMEOUT_SEC
      configuration[oidc.customFetch] = (url, options) => this.#fetchForClient(url, options)
      oidc.enableNonRepudiationChecks(configuration)
      if (metadata.issuer.startsWith('http:')) oidc.allowInsecureRequests(configuration)
      return configuration
    } catch (error) {
      throw new E_SIGN_IN_REFUSED('unreachable', { cause: error, help: helpOf(error) })
    }
  }

  async #fetchForClient(url: string, options: oidc.CustomFetchOptions): Promise<Response> {
    if (!isTrustworthy(url)) throw new E_SIGN_IN_REFUSED('invalid')
    const { body, ...rest } = options
    const init = { ...rest, ...(body !== undefined && { body }) } as RequestInit
    const response = await this.fetch(url, init)
    const { status, headers } = response
    return new Response(await limitedText(response), { status, headers: [...headers] })
  }
}

/** Uses HTTP Basic, unless the provider lists only other methods. */
function clientAuthentication(metadata: oidc.ServerMetadata, secret: string | null) {
  if (!secret) return oidc.None()
  const offered = metadata.token_endpoint_auth_methods_supported
  const basic = !offered || offered.includes('client_secret_basic')
  return basic ? oidc.ClientSecretBasic(secret) : oidc.ClientSecretPost(secret)
}

/** Returns the message and help for the admin, if the error has both. */
function helpOf(error: unknown): string | undefined {
  const { message, help } = error as { message?: string; help?: string }
  return help ? `${message} ${help}` : undefined
}

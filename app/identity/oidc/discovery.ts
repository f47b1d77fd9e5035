import type { ServerMetadata } from 'openid-client'
import { parseJson } from '#bounded/json'
import { withoutEndingSlashes } from '#llm/base_url'
import type { Fetch } from '#llm/contract'
import { cut } from '#text/cut'
import { limitedText } from '#identity/oidc/limited_text'
import { E_OIDC_ISSUER } from '#identity/oidc/errors'
import { isTrustworthy } from '#identity/trustworthy_url'

/** A discovery document is a few kilobytes, and a person waits for it. */
const DEADLINE_MS = 10_000

/** Endpoints that Mosaic needs from a provider, as OpenID Connect Discovery 1.0 names them. */
const NEEDED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const

/** URLs that browsers are sent to, so they must be plain web pages. */
const FOR_BROWSERS = ['authorization_endpoint', 'end_session_endpoint'] as const

/** Reads an issuer's discovery document, so that a wrong address is found before anyone depends on it. */
export class OidcDiscovery {
  constructor(protected fetch: Fetch) {}

  /**
   * Fetches and checks `<issuer>/.well-known/openid-configuration`. A trailing slash makes no difference; the
   * result has the issuer as it names itself.
   *
   * @throws E_OIDC_ISSUER that says what was found at that address instead
   */
  async read(issuerUrl: string): Promise<ServerMetadata> {
    if (isTemplate(issuerUrl)) throw templateIssuer(issuerUrl)
    if (!isTrustworthy(issuerUrl)) {
      throw new E_OIDC_ISSUER(
        'The issuer must be called by https.',
        'Plain http is for providers on your own network: anyone on the way could sign in as anyone.'
      )
    }
    const url = `${withoutEndingSlashes(issuerUrl)}/.well-known/openid-configuration`
    const document = await this.#fetch(url)

    const { issuer } = document
    if (typeof issuer === 'string' && isTemplate(issuer)) throw templateIssuer(issuer)
    if (
      typeof issuer !== 'string' ||
      withoutEndingSlashes(issuer) !== withoutEndingSlashes(issuerUrl)
    ) {
      throw new E_OIDC_ISSUER(
        'The discovery document names another issuer.',
        typeof issuer === 'string'
          ? `Use the issuer that it names: ${cut(issuer, 200)}`
          : 'It names none: check the address.'
      )
    }
    const missing = NEEDED.find((name) => typeof document[name] !== 'string')
    if (missing) {
      throw new E_OIDC_ISSUER(
        `The discovery document has no ${missing}.`,
        'Check that the address is the one of an OpenID Connect issuer.'
      )
    }
    const odd = FOR_BROWSERS.find((name) => document[name] !== undefined && !isPage(document[name]))
    if (odd) {
      throw new E_OIDC_ISSUER(
        `The ${odd} of the discovery document is no address of a page.`,
        'Ask whoever runs the provider: it must begin with https://.'
      )
    }
    return document as ServerMetadata
  }

  async #fetch(url: string): Promise<Record<string, unknown>> {
    let response: Response
    try {
      response = await this.fetch(url, {
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
    } catch (error) {
      throw new E_OIDC_ISSUER('The issuer cannot be reached.', reasonOf(error))
    }
    if (!response.ok) {
      await response.body?.cancel()
      throw new E_OIDC_ISSUER(
        `The issuer answered ${response.status} at ${url}.`,
        'Check the address: it ends before "/.well-known".'
      )
    }
    try {
      const document = parseJson(await limitedText(response))
      if (document && typeof document === 'object') return document as Record<string, unknown>
    } catch {
      /** Reported below: the response was not a discovery document. */
    }
    throw new E_OIDC_ISSUER(
      'There is no discovery document at this address.',
      'Check that the address is the one of an OpenID Connect issuer.'
    )
  }
}

/** `{tenantid}`, plain or URL-encoded: Entra's multi-tenant issuers contain it. */
const TEMPLATE = /\{|%7b/i

const isTemplate = (issuer: string) => TEMPLATE.test(issuer)

/** No id_token has a template as its issuer, so a template is never a valid entry. */
function templateIssuer(issuer: string): E_OIDC_ISSUER {
  const shown = issuer.slice(0, 200).replace(/%7b/gi, '{').replace(/%7d/gi, '}')
  return new E_OIDC_ISSUER(
    `"${shown}" stands for the issuers of many organisations.`,
    'Enter the issuer of yours: put your tenant ID in the place of "common", "organizations" or the braces.'
  )
}

function isPage(value: unknown): boolean {
  const protocol = typeof value === 'string' ? URL.parse(value)?.protocol : undefined
  return protocol === 'https:' || protocol === 'http:'
}

/** Mosaic's own errors are safe to show; a network error's text may contain anything. */
function reasonOf(error: unknown): string {
  const { help, name } = error as { help?: string; name?: string }
  if (help) return help
  if (name === 'TimeoutError') return `It did not answer within ${DEADLINE_MS / 1000} seconds.`
  return 'Check the address, and that this server may reach it.'
}

import type { Fetch } from '#llm/contract'
import { E_ONBOARDING_STEP } from '#onboarding/errors'

/** A discovery document is a few kilobytes, from a server that people wait for. */
const DEADLINE_MS = 10_000
const MAX_BYTES = 256 * 1024

/** What Mosaic needs of an OpenID provider, by the names of OpenID Connect Discovery 1.0. */
const NEEDED = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const

/** Asks an issuer what it is, so that a wrong address is found out before anyone depends on it. */
export class OidcDiscovery {
  constructor(protected fetch: Fetch) {}

  /**
   * Fetches and checks `<issuer>/.well-known/openid-configuration`.
   *
   * @throws E_ONBOARDING_STEP saying what was found at that address instead
   */
  async check(issuerUrl: string): Promise<void> {
    const url = `${issuerUrl.replace(/\/+$/, '')}/.well-known/openid-configuration`
    const document = await this.#read(url)

    const { issuer } = document
    if (typeof issuer !== 'string' || withoutSlash(issuer) !== withoutSlash(issuerUrl)) {
      throw refused(
        'The discovery document names another issuer.',
        typeof issuer === 'string'
          ? `Use the issuer that it names: ${issuer.slice(0, 200)}`
          : 'It names none: check the address.'
      )
    }
    const missing = NEEDED.find((name) => typeof document[name] !== 'string')
    if (missing) {
      throw refused(
        `The discovery document has no ${missing}.`,
        'Check that the address is the one of an OpenID Connect issuer.'
      )
    }
  }

  async #read(url: string): Promise<Record<string, unknown>> {
    let response: Response
    try {
      response = await this.fetch(url, {
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
    } catch (error) {
      throw refused('The issuer cannot be reached.', reasonOf(error))
    }
    if (!response.ok) {
      await response.body?.cancel()
      throw refused(
        `The issuer answered ${response.status} at ${url}.`,
        'Check the address: it ends before "/.well-known".'
      )
    }
    try {
      const document = JSON.parse(await textOf(response))
      if (document && typeof document === 'object') return document
    } catch {
      /** Told below: whatever came, it was no discovery document. */
    }
    throw refused(
      'There is no discovery document at this address.',
      'Check that the address is the one of an OpenID Connect issuer.'
    )
  }
}

/** A person's own errors explain themselves; a network error's text may hold anything. */
function reasonOf(error: unknown): string {
  const { help, name } = error as { help?: string; name?: string }
  if (help) return help
  if (name === 'TimeoutError') return `It did not answer within ${DEADLINE_MS / 1000} seconds.`
  return 'Check the address, and that this server may reach it.'
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new RangeError('too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const withoutSlash = (url: string) => url.replace(/\/+$/, '')

const refused = (message: string, hint: string) => new E_ONBOARDING_STEP(message, 'issuerUrl', hint)

import { createHash, randomUUID, sign, type KeyObject } from 'node:crypto'
import { LoopbackService, type Received, type Reply } from '#tests/contracts/loopback_service'
import { signingKeys } from '#tests/doubles/signing_keys'

const KEY_ID = 'key-1'

/** The parameters of the authorization request. */
interface Grant {
  clientId: string
  nonce: string
  challenge: string
}

/** How the next sign-in deviates from a correct provider's. */
export interface Roguery {
  /** Claims of the id_token, in addition to or in place of the correct ones. */
  claims?: Record<string, unknown>
  /** Signs with an unpublished key. */
  wrongKey?: boolean
  /** Names an algorithm without a signature. */
  unsigned?: boolean
  /** Returns this subject from the userinfo endpoint. */
  userinfoSubject?: string
}

/**
 * An OpenID provider that behaves correctly until told otherwise. It checks the client secret and the PKCE
 * verifier, and accepts a code once.
 */
export class RogueIssuer {
  static readonly CLIENT = { clientId: 'mosaic', clientSecret: 'a secret of the client' }

  readonly #published = signingKeys('published')
  readonly #other = signingKeys('other')
  readonly #grants = new Map<string, Grant>()
  #service!: LoopbackService
  #roguery: Roguery = {}
  #person: Record<string, unknown> = { sub: 'ada' }
  /** Whether it has stopped answering. */
  broken = false

  private constructor(readonly path: string) {}

  /** Its issuer ends with `path`, as Microsoft's end with a tenant. */
  static async start(path = ''): Promise<RogueIssuer> {
    const issuer = new RogueIssuer(path)
    issuer.#service = await LoopbackService.start((request) => issuer.#answer(request))
    return issuer
  }

  get url(): string {
    return this.origin + this.path
  }

  get origin(): string {
    return this.#service.url
  }

  get received(): Received[] {
    return this.#service.received
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  /** Sets who signs in at its page, and the faults of its responses. */
  as(person: Record<string, unknown>, roguery: Roguery = {}): this {
    this.#person = person
    this.#roguery = roguery
    return this
  }

  /** Follows the redirect to its page; returns the query that it sends back to Mosaic. */
  visit(location: string): Record<string, string> {
    const { searchParams } = new URL(location)
    const code = randomUUID()
    this.#grants.set(code, {
      clientId: searchParams.get('client_id')!,
      nonce: searchParams.get('nonce')!,
      challenge: searchParams.get('code_challenge')!,
    })
    return { code, state: searchParams.get('state')!, iss: this.url }
  }

  #answer({ url, headers, body }: Received): Reply {
    if (this.broken) return (response) => void response.destroy()
    switch (new URL(url, this.url).pathname.slice(this.path.length)) {
      case '/.well-known/openid-configuration':
        return ok({
          issuer: this.url,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          userinfo_endpoint: `${this.url}/userinfo`,
          jwks_uri: `${this.url}/keys`,
          end_session_endpoint: `${this.url}/leave`,
          authorization_response_iss_parameter_supported: true,
        })
      case '/keys':
        return ok({ keys: [this.#publicKey()] })
      case '/token':
        return this.#exchange(String(headers.authorization), new URLSearchParams(String(body)))
      case '/userinfo':
        return ok({ ...this.#person, sub: this.#roguery.userinfoSubject ?? this.#person.sub })
      default:
        return { status: 404, json: {} }
    }
  }

  #exchange(authorization: string, form: URLSearchParams): Reply {
    const grant = this.#grants.get(form.get('code') ?? '')
    this.#grants.delete(form.get('code') ?? '')
    const { clientId, clientSecret } = RogueIssuer.CLIENT
    const pair = [clientId, clientSecret].map((part) =>
      new URLSearchParams({ part }).toString().slice(5)
    )
    const basic = `Basic ${Buffer.from(pair.join(':')).toString('base64')}`
    const verifier = form.get('code_verifier') ?? ''
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    if (authorization !== basic) return { status: 401, json: { error: 'invalid_client' } }
    if (grant?.challenge !== challenge) return { status: 400, json: { error: 'invalid_grant' } }
    return ok({
      access_token: randomUUID(),
      token_type: 'Bearer',
      expires_in: 60,
      id_token: this.#idToken(grant),
    })
  }

  #idToken({ clientId, nonce }: Grant): string {
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: this.url, aud: clientId, exp: now + 60, iat: now, nonce }
    const { wrongKey, unsigned } = this.#roguery
    const whole = { ...claims, sub: this.#person.sub, ...this.#roguery.claims }
    const header = { alg: unsigned ? 'none' : 'RS256', kid: KEY_ID }
    return jwt(
      header,
      whole,
      unsigned ? null : (wrongKey ? this.#other : this.#published).privateKey
    )
  }

  #publicKey() {
    const jwk = this.#published.publicKey.export({ format: 'jwk' })
    return { ...jwk, kid: KEY_ID, use: 'sig', alg: 'RS256' }
  }
}

const ok = (json: unknown): Reply => ({ status: 200, json })

function jwt(header: object, claims: object, key: KeyObject | null): string {
  const text = [header, claims].map((part) => base64url(JSON.stringify(part))).join('.')
  return `${text}.${key ? sign('sha256', Buffer.from(text), key).toString('base64url') : ''}`
}

const base64url = (text: string) => Buffer.from(text).toString('base64url')

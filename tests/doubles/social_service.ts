import { createHash, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { LoopbackService, type Received, type Reply } from '#tests/contracts/loopback_service'

/** The parameters of the authorization request. */
interface Grant {
  query: URLSearchParams
  person: Person
}

/** A person, as the service's own API returns them. */
export type Person = Record<string, unknown>

/** A service's protocol: its paths and responses. */
export interface Dialect {
  authorize: string
  token: string
  /** Responses of its API to a person's token, by path. */
  api: (person: Person) => Record<string, unknown>
  /** The response that refuses a code. GitHub uses status 200 even then. */
  refusal: { status: number; json: unknown }
}

/** GitHub Enterprise as documented: numeric IDs, addresses separate from the profile. */
export const GITHUB: Dialect = {
  authorize: '/login/oauth/authorize',
  token: '/login/oauth/access_token',
  api: ({ emails = [], ...profile }) => ({
    '/api/v3/user': profile,
    '/api/v3/user/emails': emails,
  }),
  refusal: { status: 200, json: { error: 'bad_verification_code' } },
}

/** Google: its userinfo endpoint uses OpenID Connect's names. */
export const GOOGLE: Dialect = {
  authorize: '/o/oauth2/v2/auth',
  token: '/token',
  api: (person) => ({ '/oauth2/v3/userinfo': person }),
  refusal: { status: 400, json: { error: 'invalid_grant' } },
}

/** Discord: IDs are numeric strings, because they exceed a JSON number's precision. */
export const DISCORD: Dialect = {
  authorize: '/oauth2/authorize',
  token: '/api/oauth2/token',
  api: (person) => ({ '/api/users/@me': person }),
  refusal: { status: 400, json: { error: 'invalid_grant' } },
}

/**
 * An OAuth 2.0 service on loopback. It checks the client secret, the redirect URI and the PKCE verifier, and
 * accepts a code once. Its page always consents.
 */
export class SocialService {
  static readonly CLIENT = { clientId: 'mosaic', clientSecret: 'a secret of the client' }

  readonly #grants = new Map<string, Grant>()
  readonly #tokens = new Map<string, Person>()
  #service!: LoopbackService
  #person: Person = {}
  /** Statuses that API paths answer with instead of their content. */
  readonly failing = new Map<string, number>()

  private constructor(readonly dialect: Dialect) {}

  static async start(dialect: Dialect): Promise<SocialService> {
    const service = new SocialService(dialect)
    service.#service = await LoopbackService.start((request) => service.#answer(request))
    return service
  }

  get url(): string {
    return this.#service.url
  }

  get received(): Received[] {
    return this.#service.received
  }

  close(): Promise<void> {
    return this.#service.close()
  }

  /** The endpoints for an Ally driver; the profile is at the API's first path. */
  get endpoints() {
    const { authorize, token, api } = this.dialect
    return {
      authorizeUrl: this.url + authorize,
      accessTokenUrl: this.url + token,
      userInfoUrl: this.url + Object.keys(api({}))[0],
    }
  }

  /** Sets who signs in at its page. */
  as(person: Person): this {
    this.#person = person
    return this
  }

  /** Follows the redirect to its page; returns the query that it sends back to Mosaic. */
  visit(location: string): Record<string, string> {
    const { searchParams } = new URL(location)
    const code = randomUUID()
    this.#grants.set(code, { query: searchParams, person: this.#person })
    return { code, state: searchParams.get('state') ?? '' }
  }

  #answer({ url, headers, body }: Received): Reply {
    const { pathname } = new URL(url, this.url)
    const failing = this.failing.get(pathname)
    if (failing) return { status: failing, json: { message: 'No' } }
    if (pathname === this.dialect.authorize) return this.#page(url)
    if (pathname === this.dialect.token) return this.#exchange(new URLSearchParams(String(body)))
    const token = String(headers.authorization).split(' ')[1]
    const person = this.#tokens.get(token)
    if (!person || !headers['user-agent']) return { status: 401, json: {} }
    const answers = this.dialect.api(person)
    return pathname in answers
      ? { status: 200, json: answers[pathname] }
      : { status: 404, json: {} }
  }

  #page(url: string): Reply {
    const back = new URL(new URL(url, this.url).searchParams.get('redirect_uri')!)
    back.search = new URLSearchParams(this.visit(`${this.url}${url}`)).toString()
    const html = `<!doctype html><title>Authorize</title><a href="${back.href.replaceAll('&', '&amp;')}">Authorize Mosaic</a>`
    return (response: ServerResponse) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end(html)
  }

  #exchange(form: URLSearchParams): Reply {
    const grant = this.#grants.get(form.get('code') ?? '')
    this.#grants.delete(form.get('code') ?? '')
    const { clientId, clientSecret } = SocialService.CLIENT
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isGood =
      grant?.query.get('code_challenge') === challenge &&
      grant.query.get('code_challenge_method') === 'S256' &&
      grant.query.get('redirect_uri') === form.get('redirect_uri') &&
      form.get('client_id') === clientId &&
      form.get('client_secret') === clientSecret
    if (!isGood) return this.dialect.refusal
    const token = randomUUID()
    this.#tokens.set(token, grant.person)
    return { status: 200, json: { access_token: token, token_type: 'bearer', scope: 'read:user' } }
  }
}

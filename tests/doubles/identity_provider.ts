import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'
import { signingKeys } from '#tests/doubles/signing_keys'

export interface Person {
  email: string
  name: string
  groups: string[]
}

/**
 * A certified OpenID provider (`oidc-provider`) on loopback, with its own pages: any password signs in any
 * named user. Requires PKCE and the client secret.
 */
export class IdentityProvider {
  static readonly CLIENT = { clientId: 'mosaic', clientSecret: randomBytes(24).toString('hex') }

  readonly people = new Map<string, Person>()

  private constructor(
    readonly url: string,
    readonly server: Server
  ) {}

  /** Starts a provider for a Mosaic at `origin`. */
  static async start(origin: string): Promise<IdentityProvider> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const idp = new IdentityProvider(url, server)
    server.on('request', idp.#provider(origin).callback())
    return idp
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }

  #provider(origin: string): Provider {
    const { clientId, clientSecret } = IdentityProvider.CLIENT
    const { privateKey } = signingKeys('provider')
    return new Provider(this.url, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [`${origin}/auth/oidc/callback`],
          post_logout_redirect_uris: [`${origin}/login`],
        },
      ],
      claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email', 'email_verified'] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
      pkce: { required: () => true },
      ttl: {
        AccessToken: 60,
        AuthorizationCode: 60,
        IdToken: 60,
        Interaction: 600,
        Grant: 600,
        Session: 600,
      },
      features: { devInteractions: { enabled: true } },
      findAccount: (_ctx, id) => {
        const person = this.people.get(id)
        if (!person) return undefined
        return { accountId: id, claims: () => ({ sub: id, email_verified: true, ...person }) }
      },
    })
  }
}

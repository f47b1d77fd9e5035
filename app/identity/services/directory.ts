import { createHash } from 'node:crypto'
import type { Fetch } from '#llm/contract'
import SignInServiceRow from '#models/sign_in_service'
import type { Identity, ServiceClient, SignInService } from '#identity/services/contract'
import type { Admission, ReadyService } from '#identity/services/ready_service'
import { E_SIGN_IN_REFUSED } from '#identity/services/errors'
import type { ServiceRegistry } from '#identity/services/registry'
import type { OidcClient } from '#identity/oidc/client'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import type { OidcService } from '#identity/oidc/service'

/** These services assign no role: people are members until an admin says otherwise. */
const NO_RULES = { claim: null, adminValues: [], memberValues: [] }

/** The sign-in services with their current settings. */
export class ServiceDirectory {
  constructor(
    protected oidc: OidcService,
    protected registry: ServiceRegistry,
    protected enforcement: Pick<OidcEnforcement, 'isInForce'>,
    protected means: { fetch: Fetch; oidc: OidcClient }
  ) {}

  /** @throws E_SIGN_IN_REFUSED if it is not set up, or single sign-on is the only way to sign in */
  async findOrFail(name: string): Promise<ReadyService> {
    if (name === this.oidc.name) return found(await this.oidc.ready())
    const service = this.registry.find(name)
    const row = service && (await SignInServiceRow.findBy({ name, isActive: true }))
    if (!row) throw new E_SIGN_IN_REFUSED('not_configured')
    if (await this.enforcement.isInForce()) throw new E_SIGN_IN_REFUSED('switched_off')
    return this.#ready(service, row)
  }

  /** Lists the enabled services except single sign-on. Empty while that is the only way to sign in. */
  async list(): Promise<{ name: string; label: string }[]> {
    const rows = await SignInServiceRow.query().where('is_active', true)
    if (rows.length === 0 || (await this.enforcement.isInForce())) return []
    const active = new Set(rows.map(({ name }) => name))
    return this.registry
      .all()
      .filter(({ name }) => active.has(name))
      .map(({ name, label }) => ({ name, label }))
  }

  async #ready(service: SignInService, row: SignInServiceRow): Promise<ReadyService> {
    const { name, label, checks } = service
    const client = await clientOf(service, row)
    const admission: Admission = { rules: NO_RULES, signUp: row.signUp }
    return {
      name,
      label,
      admission,
      fingerprint: fingerprintOf(name, client),
      confirms: row.isProof || checks.includes('signedInAt'),
      driver: (ctx, pending) => service.driver(ctx, { client, pending, ...this.means }),
      identityOf: (user) => proven(service.identityOf(user, client), service, row),
    }
  }
}

/** Returns a row's client, with the secret opened. */
export async function clientOf(
  { address }: Pick<SignInService, 'address'>,
  row: SignInServiceRow
): Promise<ServiceClient> {
  return {
    clientId: row.clientId,
    clientSecret: (await row.open('clientSecret')) ?? '',
    address: row.address ?? address?.default ?? '',
  }
}

/** Without a time of sign-in, a sign-in proves nothing, unless an admin accepts it as proof. */
function proven(identity: Identity, { checks }: SignInService, row: SignInServiceRow): Identity {
  if (checks.includes('signedInAt') || row.isProof) return identity
  return { ...identity, signedInAt: 0 }
}

function found(service: ReadyService | null): ReadyService {
  if (!service) throw new E_SIGN_IN_REFUSED('not_configured')
  return service
}

function fingerprintOf(name: string, { clientId, clientSecret, address }: ServiceClient): string {
  const text = JSON.stringify([name, clientId, clientSecret, address])
  return createHash('sha256').update(text).digest('base64url')
}

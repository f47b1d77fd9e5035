import type User from '#models/user'
import type { Audit } from '#audit/audit'
import type { Settings } from '#settings/settings'
import type { OidcAccounts } from '#identity/oidc/accounts'
import type { OidcClient, OidcIdentity, PendingSignIn } from '#identity/oidc/client'
import { oidcConfig, type OidcConfig } from '#identity/oidc/config'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import { E_OIDC_REFUSED } from '#identity/oidc/errors'
import { decideRole, type RoleDecision } from '#identity/oidc/role_rules'

/** What someone goes to the provider for. */
export type Purpose =
  | { kind: 'sign_in'; invitation: string | null }
  /** An admin tries the settings out, and stays who they are. */
  | { kind: 'test' }
  /** Someone shows that they are still who they are, before a sensitive act. */
  | { kind: 'confirm' }

/** Kept in the browser's session until it comes back from the provider. */
export interface Journey {
  purpose: Purpose
  pending: PendingSignIn
  /** Milliseconds since the epoch. */
  startedAt: number
}

/** How long someone may take at the provider: long enough for a forgotten second factor. */
const JOURNEY_MS = 15 * 60_000

/** How a test sign-in went: what the provider told, and what the rules make of it. */
export interface OidcTrial {
  issuer: string
  subject: string
  claims: Record<string, unknown>
  decision: RoleDecision
}

/** Signing in with the provider of this installation, from the settings of the moment. */
export class OidcSignIn {
  constructor(
    protected settings: Settings,
    protected client: OidcClient,
    protected accounts: OidcAccounts,
    protected enforcement: OidcEnforcement,
    protected audit: Audit,
    protected now: () => number = Date.now
  ) {}

  /** @throws E_OIDC_REFUSED when it is not set up, or the provider cannot be reached */
  async begin(purpose: Purpose, redirectUri: string): Promise<{ url: string; journey: Journey }> {
    const fresh = purpose.kind === 'confirm'
    const { url, pending } = await this.client.begin(await this.#config(), redirectUri, { fresh })
    return { url, journey: { purpose, pending, startedAt: this.now() } }
  }

  /** The user that the provider sent, as the rules let in. @throws E_OIDC_REFUSED */
  async signIn(journey: Journey, parameters: URLSearchParams) {
    const { identity } = await this.#finish(journey, parameters)
    const invitation = journey.purpose.kind === 'sign_in' ? journey.purpose.invitation : null
    return { user: await this.accounts.arrive(identity, invitation), identity }
  }

  /** Notes that these settings work. Nobody is signed in by it. @throws E_OIDC_REFUSED */
  async test(journey: Journey, parameters: URLSearchParams, admin: User): Promise<OidcTrial> {
    const { identity, config } = await this.#finish(journey, parameters)
    await this.enforcement.noteTest(config.fingerprint)
    const { issuer, subject, claims } = identity
    await this.audit.record({ actor: admin, action: 'oidc.tested', details: { issuer } })
    return { issuer, subject, claims, decision: decideRole(await this.accounts.rules(), claims) }
  }

  /** @throws E_OIDC_REFUSED when it is not the same person, or the sign-in did not succeed */
  async confirm(journey: Journey, parameters: URLSearchParams, user: User): Promise<void> {
    const { identity } = await this.#finish(journey, parameters)
    const found = await this.accounts.find(identity)
    if (found?.id !== user.id) throw new E_OIDC_REFUSED('someone_else')
  }

  /** Where to sign out at the provider too, or null: leaving never fails for the provider's sake. */
  async signOutUrl(idToken: string, backTo: string): Promise<string | null> {
    const config = await oidcConfig(this.settings)
    if (!config) return null
    return this.client.signOutUrl(config, idToken, backTo).catch(() => null)
  }

  async #finish(
    { pending, startedAt }: Journey,
    parameters: URLSearchParams
  ): Promise<{ identity: OidcIdentity; config: OidcConfig }> {
    if (this.now() - startedAt > JOURNEY_MS) throw new E_OIDC_REFUSED('too_late')
    const config = await this.#config()
    return { identity: await this.client.finish(config, pending, parameters), config }
  }

  async #config(): Promise<OidcConfig> {
    const config = await oidcConfig(this.settings)
    if (!config) throw new E_OIDC_REFUSED('not_configured')
    return config
  }
}

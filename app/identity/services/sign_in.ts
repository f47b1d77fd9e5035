import type { HttpContext } from '@adonisjs/core/http'
import type User from '#models/user'
import type { Audit } from '#audit/audit'
import type { ServiceAccounts } from '#identity/services/accounts'
import type { Identity, PendingSignIn } from '#identity/services/contract'
import type { ReadyService } from '#identity/services/ready_service'
import type { ServiceDirectory } from '#identity/services/directory'
import { E_SIGN_IN_REFUSED } from '#identity/services/errors'
import { newPending } from '#identity/services/pending'
import { refusalOf } from '#identity/services/refusal'
import { decideRole, type RoleDecision } from '#identity/oidc/role_rules'

/** Why someone goes to a service. */
export type Purpose =
  | { kind: 'sign_in'; invitation: string | null }
  /** An admin tries the settings and stays signed in as before. */
  | { kind: 'test' }
  /** Someone confirms their identity before a sensitive action. */
  | { kind: 'confirm' }

/** Kept in the browser's session until the browser returns from the service. */
export interface Journey {
  /** The service's name. */
  service: string
  purpose: Purpose
  pending: PendingSignIn
  /** Milliseconds since the epoch. */
  startedAt: number
}

/** Time allowed at the service: enough for a forgotten second factor. */
const JOURNEY_MS = 15 * 60_000

/** Result of a test sign-in: the service's claims, and the role the rules derive from them. */
export interface SignInTrial {
  issuer: string
  subject: string
  claims: Record<string, unknown>
  decision: RoleDecision
}

/** Sign-in through a service with its Ally driver, from the current settings. */
export class ServiceSignIn {
  constructor(
    protected services: ServiceDirectory,
    protected accounts: ServiceAccounts,
    protected audit: Audit,
    protected now: () => number = Date.now
  ) {}

  /** @throws E_SIGN_IN_REFUSED if it is not set up, or the service cannot be reached */
  async begin(ctx: HttpContext, name: string, purpose: Purpose, redirectUri: string) {
    const service = await this.services.findOrFail(name)
    const fresh = purpose.kind === 'confirm'
    if (fresh && !service.confirms) throw new E_SIGN_IN_REFUSED('no_proof')
    const pending = newPending(service, redirectUri, { fresh })
    const url = await this.#ask(() =>
      service
        .driver(ctx, pending)
        .redirectUrl((request) => request.clearParam('state').param('state', pending.state))
    )
    const journey: Journey = { service: name, purpose, pending, startedAt: this.now() }
    return { url, journey }
  }

  /** Returns the user that the service reports, if the rules admit them. @throws E_SIGN_IN_REFUSED */
  async signIn(ctx: HttpContext, journey: Journey) {
    const { identity, service } = await this.#finish(ctx, journey)
    const invitation = journey.purpose.kind === 'sign_in' ? journey.purpose.invitation : null
    return { user: await this.accounts.arrive(identity, service, invitation), identity }
  }

  /** Records that these settings work. Signs nobody in. @throws E_SIGN_IN_REFUSED */
  async test(ctx: HttpContext, journey: Journey, admin: User): Promise<SignInTrial> {
    const { identity, service } = await this.#finish(ctx, journey)
    await service.noteTest?.()
    const { issuer, subject, claims } = identity
    const action = service.noteTest ? 'oidc.tested' : 'sign_in_service.tested'
    await this.audit.record({ actor: admin, action, details: { service: service.name, issuer } })
    return { issuer, subject, claims, decision: decideRole(service.admission.rules, claims) }
  }

  /** @throws E_SIGN_IN_REFUSED if it is a different person, or the sign-in failed */
  async confirm(ctx: HttpContext, journey: Journey, user: User): Promise<void> {
    const { identity, service } = await this.#finish(ctx, journey)
    if (!service.confirms) throw new E_SIGN_IN_REFUSED('no_proof')
    const found = await this.accounts.find(identity)
    if (found?.id !== user.id) throw new E_SIGN_IN_REFUSED('someone_else')
  }

  async #finish(
    ctx: HttpContext,
    { service: name, pending, startedAt }: Journey
  ): Promise<{ identity: Identity; service: ReadyService }> {
    if (this.now() - startedAt > JOURNEY_MS) throw new E_SIGN_IN_REFUSED('too_late')
    const service = await this.services.findOrFail(name)
    if (pending.fingerprint !== service.fingerprint) {
      throw new E_SIGN_IN_REFUSED('settings_changed')
    }
    const user = await this.#ask(() => service.driver(ctx, pending).user())
    return { identity: service.identityOf(user), service }
  }

  /** Turns any error of a driver into one with a reason for the person. */
  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question()
    } catch (error) {
      throw refusalOf(error)
    }
  }
}

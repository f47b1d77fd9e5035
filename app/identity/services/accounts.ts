import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import User from '#models/user'
import { cut } from '#text/cut'
import type { Role } from '#models/types'
import type { Audit } from '#audit/audit'
import type { Invitations } from '#identity/invitations'
import { isClaimed, saveWithAddress } from '#identity/claimed_address'
import { isLastAdmin, lockAdmins } from '#identity/last_admin'
import { E_SIGN_IN_REFUSED } from '#identity/services/errors'
import type { Identity } from '#identity/services/contract'
import type { ReadyService } from '#identity/services/ready_service'
import { decideRole, type NotTold, type RoleDecision } from '#identity/oidc/role_rules'

/** Column width. OpenID Connect allows subjects of 255 characters. */
const MAX_LENGTH = 255

/** The usable profile from the claims. */
interface Profile {
  name: string
  email: string | null
  emailVerified: boolean
}

/** A person arriving from a service. */
interface Arrival {
  identity: Identity
  profile: Profile
  decision: RoleDecision
  /** The service's name, for the audit record. */
  by: string
}

/**
 * Maps an identity from a service to an account, by issuer and subject alone: an email address can be
 * reassigned, or claimed by anyone who runs a service.
 */
export class ServiceAccounts {
  constructor(
    protected invitations: Invitations,
    protected audit: Audit
  ) {}

  /**
   * Returns the user of this identity, with the role from the rules. On the first visit the user is created, or
   * taken from the invitation with the given token. It ends if it was for the address of someone known.
   *
   * @throws E_SIGN_IN_REFUSED
   */
  async arrive(
    identity: Identity,
    { name: by, admission }: Pick<ReadyService, 'name' | 'admission'>,
    invitationToken: string | null
  ): Promise<User> {
    const { issuer, subject, claims } = identity
    if (![issuer, subject].every(isId)) throw new E_SIGN_IN_REFUSED('invalid')
    const decision = decideRole(admission.rules, claims)
    const known = await this.find(identity)
    const hasRole = Boolean(known ?? invitationToken)
    const keepsRole = decision.notTold ? hasRole : known !== null && (await isLastAdmin(known))
    if (decision.role === null && !keepsRole) {
      throw new E_SIGN_IN_REFUSED(decision.notTold === 'overage' ? 'role_not_told' : 'no_role')
    }
    if (known?.deactivatedAt) throw new E_SIGN_IN_REFUSED('deactivated')
    const arrival = { identity, profile: profileOf(claims, subject), decision, by }
    if (known) {
      const { email } = arrival.profile
      if (invitationToken) await this.invitations.close(invitationToken, known, email)
      return this.#refresh(known, arrival)
    }
    if (invitationToken) return this.#takeInvitation(arrival, invitationToken)
    if (admission.signUp === 'invited') throw new E_SIGN_IN_REFUSED('not_invited')
    return this.#create(arrival)
  }

  find({ issuer, subject }: Identity): Promise<User | null> {
    return User.query().where({ oidc_issuer: issuer, oidc_subject: subject }).first()
  }

  /**
   * Updates the profile at each visit. Keeps the current address if another account has the new one, or if an
   * unverified address would replace that of an admin's invitation.
   */
  async #refresh(user: User, arrival: Arrival): Promise<User> {
    const { profile, decision, by } = arrival
    const { email = null, emailVerifiedAt = null } = user
    user.name = profile.name
    if (profile.email && mayReplaceEmail(user, profile)) setEmail(user, profile)
    const saved = await this.#save(user, arrival)
    if (!saved) await user.merge({ email, emailVerifiedAt }).save()
    if (decision.notTold) await this.#keepRole(user, decision.notTold, by)
    else if (decision.role === null) await this.#keepRole(user, 'last_admin', by)
    else if (decision.because !== 'no_rule') await this.#giveRole(user, decision.role, by)
    return user
  }

  /** Returns false if another account has the address, and does not give it up to one for whom it is verified. */
  #save(user: User, { profile, by }: Pick<Arrival, 'profile' | 'by'>): Promise<boolean> {
    const givesUp = profile.emailVerified ? isClaimed : () => false
    return saveWithAddress(user, givesUp, this.audit, { details: { by } })
  }

  async #takeInvitation(arrival: Arrival, token: string): Promise<User> {
    const invited = await this.invitations.find(token)
    if (!invited) throw new E_SIGN_IN_REFUSED('invitation')

    const { identity, profile } = arrival
    const user = await this.invitations.accept(token, {
      name: profile.name,
      oidcIssuer: identity.issuer,
      oidcSubject: identity.subject,
    })
    if (!user) throw new E_SIGN_IN_REFUSED('invitation')
    return this.#refresh(user, arrival)
  }

  async #create({ identity, profile, decision, by }: Arrival): Promise<User> {
    const user = new User()
    user.merge({
      name: profile.name,
      role: decision.role!,
      oidcIssuer: identity.issuer,
      oidcSubject: identity.subject,
    })
    setEmail(user, profile)
    if (!(await this.#save(user, { profile, by }))) {
      const sameFromAnotherTab = await this.find(identity)
      if (!sameFromAnotherTab) throw new E_SIGN_IN_REFUSED('email_taken')
      return sameFromAnotherTab
    }
    await this.audit.record({
      actor: user,
      action: 'user.created',
      subject: { type: 'user', id: user.id },
      details: { by, role: user.role },
    })
    return user
  }

  /** A missing claim is not an empty one, and a claim never locks everyone out: the role stays. */
  #keepRole(user: User, because: NotTold | 'last_admin', by: string): Promise<void> {
    return this.audit.record({
      actor: user,
      action: 'user.role_kept',
      subject: { type: 'user', id: user.id },
      details: { role: user.role, by, because },
    })
  }

  /** A claim never locks everyone out: the last admin stays one, and the record says so. */
  async #giveRole(user: User, role: Role, by: string): Promise<void> {
    if (user.role === role) return
    const kept = await db.transaction(async (trx) => {
      await lockAdmins(trx)
      if (role !== 'admin' && (await isLastAdmin(user, trx))) return true
      await user.merge({ role }).useTransaction(trx).save()
      return false
    })
    user.$trx = undefined
    await this.audit.record({
      actor: user,
      action: kept ? 'user.role_kept' : 'user.role_changed',
      subject: { type: 'user', id: user.id },
      details: { role, by, ...(kept && { because: 'last_admin' }) },
    })
  }
}

const isId = (text: string) =>
  text.length <= MAX_LENGTH && !/\p{Cc}/u.test(text) && text.isWellFormed()

/** Returns whether a claim may replace the address. Only a verified one replaces that of an admin's invitation. */
function mayReplaceEmail({ email, invitedAt }: User, profile: Profile): boolean {
  return profile.emailVerified || !email || email === profile.email || !invitedAt
}

function setEmail(user: User, { email, emailVerified }: Profile): void {
  const verifiedAt = user.email === email ? (user.emailVerifiedAt ?? null) : null
  user.email = email
  user.emailVerifiedAt = emailVerified ? (verifiedAt ?? DateTime.utc()) : null
}

/** Characters that no name contains: control characters, and those that change text direction. */
const UNSEEN = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu

const EMAIL = /^[^\s@<>"]+@[^\s@<>"]+$/

/** People choose their claims: anything that is not a readable name or address is dropped. */
function profileOf(claims: Record<string, unknown>, subject: string): Profile {
  const text = (name: string) => {
    const value = claims[name]
    if (typeof value !== 'string') return null
    return cut(value.toWellFormed().replace(UNSEEN, '').trim(), MAX_LENGTH) || null
  }
  const told = text('email')?.toLowerCase()
  const email = told && EMAIL.test(told) ? told : null
  return {
    name: text('name') ?? text('preferred_username') ?? email ?? subject,
    email,
    /** Cognito and others send a string at their userinfo endpoint. */
    emailVerified: claims.email_verified === true || claims.email_verified === 'true',
  }
}

import { createHash, randomBytes } from 'node:crypto'
import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { ModelQueryBuilderContract } from '@adonisjs/lucid/types/model'
import User from '#models/user'
import type { Role } from '#models/types'
import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import { isAbandoned, saveWithAddress } from '#identity/claimed_address'
import { hashPassword } from '#identity/passwords'
import { E_EMAIL_TAKEN, E_INVITATION, E_NOT_INVITED } from '#identity/errors'

/** Long enough for a holiday, short enough that a forgotten mail does not stay valid. */
const LIFETIME = { days: 7 }
const TOKEN_BYTES = 32

export interface NewInvitation {
  email: string
  name?: string
  role: Role
}

/** The only place with the token itself: the database keeps its hash. */
export interface SentInvitation {
  user: User
  token: string
}

/** Columns filled in on acceptance. */
type Accepted = Partial<Pick<User, 'name' | 'oidcIssuer' | 'oidcSubject' | 'passwordHash'>>

/** Invited people: a user row each, and a token that works once and expires. */
export class Invitations {
  constructor(
    protected audit: Audit,
    protected now: () => number = Date.now
  ) {}

  /** Takes the address of a deactivated account that only claimed it. @throws E_EMAIL_TAKEN */
  async invite({ email, name, role }: NewInvitation, by: Actor): Promise<SentInvitation> {
    const user = new User()
    user.merge({
      email,
      name: name ?? email,
      role,
      invitedAt: this.#time(),
      invitedBy: by.user.id,
    })
    const token = this.#renewToken(user)
    const told = { actor: by.user, address: by.address, details: { by: 'invitation' } }
    const saved = await saveWithAddress(user, isAbandoned, this.audit, told)
    if (!saved) throw new E_EMAIL_TAKEN()
    await this.audit.recordOfUser('user.invited', user, by, { role })
    return { user, token }
  }

  /** Issues a new token with a new expiry; the former link stops working. @throws E_NOT_INVITED */
  async renew(user: User, by: Actor): Promise<SentInvitation> {
    const open = User.query().where('id', user.id).whereNotNull('invitation_token_hash')
    let token = ''
    const renewed = await changeOne(open, (found) => (token = this.#renewToken(found)))
    if (!renewed) throw new E_NOT_INVITED()
    await this.audit.recordOfUser('invitation.renewed', renewed, by)
    return { user: renewed, token }
  }

  /**
   * Withdraws an invitation. The invited person owns nothing yet, so the row is deleted. @throws E_NOT_INVITED
   */
  async revoke(user: User, by: Actor): Promise<void> {
    const open = User.query().where('id', user.id).whereNotNull('invitation_token_hash')
    if (!(await deleteOne(open))) throw new E_NOT_INVITED()
    await this.audit.recordOfUser('invitation.revoked', user, by)
  }

  /**
   * Withdraws the invitation to someone's own address that they opened although they have an account: it would
   * keep the address from them. Leaves any other: an admin may have tried a link meant for somebody else.
   */
  async close(token: string, by: User, email: string | null): Promise<void> {
    const invited = await this.find(token)
    if (!invited || invited.email !== email) return
    const open = User.query().where({ id: invited.id, invitation_token_hash: hashOf(token) })
    if (!(await deleteOne(open))) return
    const actor = { user: by, address: null }
    await this.audit.recordOfUser('invitation.revoked', invited, actor, { because: 'known' })
  }

  /** Returns the invited user while the invitation is valid. */
  async find(token: string): Promise<User | null> {
    const user = await User.findBy({ invitationTokenHash: hashOf(token) })
    if (!user || user.deactivatedAt) return null
    return user.invitationExpiresAt && user.invitationExpiresAt.toMillis() > this.now()
      ? user
      : null
  }

  /** @throws E_INVITATION */
  async findOrFail(token: string): Promise<User> {
    const user = await this.find(token)
    if (!user) throw new E_INVITATION()
    return user
  }

  /** @throws E_INVITATION */
  async acceptWithPassword(token: string, name: string | undefined, password: string) {
    /** Checked before hashing: strangers must not be able to trigger that work. */
    await this.findOrFail(token)
    const passwordHash = await hashPassword(password)
    const user = await this.accept(token, { passwordHash, ...(name && { name }) })
    if (!user) throw new E_INVITATION()
    return user
  }

  /**
   * Consumes the token and stores what was accepted, or neither. Of concurrent callers one gets the user, the
   * others null.
   */
  async accept(token: string, accepted: Accepted): Promise<User | null> {
    const invited = await this.find(token)
    if (!invited) return null
    const open = User.query().where({ id: invited.id, invitation_token_hash: hashOf(token) })
    const used = { invitationTokenHash: null, invitationExpiresAt: null }
    const user = await changeOne(open, (found) => found.merge({ ...accepted, ...used }))
    if (!user) return null

    await this.audit.record({
      actor: user,
      action: 'invitation.accepted',
      subject: { type: 'user', id: user.id },
    })
    return user
  }

  #renewToken(user: User): string {
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    user.invitationTokenHash = hashOf(token)
    user.invitationExpiresAt = this.#time().plus(LIFETIME)
    return token
  }

  #time = () => DateTime.fromMillis(this.now(), { zone: 'utc' })
}

/** Changes the one row that the query still finds under its lock; returns null if there is none any more. */
async function changeOne(
  query: ModelQueryBuilderContract<typeof User>,
  change: (user: User) => unknown
): Promise<User | null> {
  const changed = await db.transaction(async (trx) => {
    const found = await query.useTransaction(trx).forUpdate().first()
    if (!found) return null
    change(found)
    return found.useTransaction(trx).save()
  })
  if (changed) changed.$trx = undefined
  return changed
}

/** Returns whether the query found a row to delete. */
async function deleteOne(query: ModelQueryBuilderContract<typeof User>): Promise<boolean> {
  return Number([await query.delete()].flat()[0]) > 0
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')

import db from '@adonisjs/lucid/services/db'
import User from '#models/user'
import { isUniqueViolation } from '#models/unique_violation'
import type { Audit, AuditEntry } from '#audit/audit'

/** Whether the account that has an address gives it up. */
export type GivesUp = (holder: User) => boolean

/**
 * Saves a user with their address, and removes the address from an account that gives it up. All or nothing: returns
 * false if another account keeps the address, or a unique constraint refuses the row.
 *
 * @param told how the audit record describes the change of the account that gives its address up
 */
export async function saveWithAddress(
  user: User,
  givesUp: GivesUp,
  audit: Pick<Audit, 'record'>,
  told: Pick<AuditEntry, 'actor' | 'address' | 'details'>
): Promise<boolean> {
  try {
    const former = await db.transaction(async (trx) => {
      const holder = await User.query({ client: trx })
        .where('email', user.email ?? '')
        .whereNot('id', user.id ?? '')
        .forUpdate()
        .first()
      if (holder && !givesUp(holder)) return undefined
      await holder?.merge({ email: null }).save()
      await user.useTransaction(trx).save()
      return holder
    })
    if (former === undefined) return false
    if (former) await audit.record(changeOf(former, told))
    return true
  } catch (error) {
    if (isUniqueViolation(error)) return false
    throw error
  } finally {
    user.$trx = undefined
  }
}

const changeOf = ({ id }: User, told: Pick<AuditEntry, 'details'>): AuditEntry => ({
  ...told,
  action: 'user.changed',
  subject: { type: 'user', id },
  details: { email: null, ...told.details },
})

/** An account gives up an address that its provider claims and has not verified. */
export const isClaimed: GivesUp = ({ email, emailVerifiedAt, oidcSubject, invitedAt }) =>
  Boolean(email && oidcSubject) && !emailVerifiedAt && !invitedAt

/** Many providers verify no address, so an invitation takes one only after an admin deactivated its account. */
export const isAbandoned: GivesUp = (holder) => isClaimed(holder) && Boolean(holder.deactivatedAt)

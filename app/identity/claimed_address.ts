import User from '#models/user'
import type { Audit, AuditEntry } from '#audit/audit'

/**
 * Returns whether no other account has the address. An account with an unverified address gives it up to a
 * person for whom a provider has verified it, and to an invitation: a stranger's claim locks nobody out.
 *
 * @param told how the audit record describes the change of an account that gives its address up
 */
export async function freeAddress(
  email: string,
  audit: Pick<Audit, 'record'>,
  told: Pick<AuditEntry, 'actor' | 'address' | 'details'>,
  exceptId = ''
): Promise<boolean> {
  const holder = await User.query().where({ email }).whereNot('id', exceptId).first()
  if (!holder) return true
  if (!isClaimed(holder)) return false
  await holder.merge({ email: null }).save()
  await audit.record({
    ...told,
    action: 'user.changed',
    subject: { type: 'user', id: holder.id },
    details: { email: null, ...told.details },
  })
  return true
}

/** Returns true for an address from a provider's claim that the provider has not verified. */
function isClaimed({ email, emailVerifiedAt, oidcSubject, invitedAt }: User): boolean {
  return Boolean(email && oidcSubject) && !emailVerifiedAt && !invitedAt
}

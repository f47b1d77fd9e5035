import User from '#models/user'
import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'

/**
 * Locks all admins for the transaction, before any other user and always in the same order: two admins
 * who remove each other at the same time take turns, without a deadlock.
 */
export async function lockAdmins(trx: TransactionClientContract): Promise<void> {
  await User.query({ client: trx }).where('role', 'admin').orderBy('id').forUpdate()
}

/**
 * Whether nobody but this user could administer the installation. Who has not taken their invitation
 * yet does not count. It stays true or false for as long as `lockAdmins` holds the admins.
 */
export async function isLastAdmin(user: User, client?: QueryClientContract): Promise<boolean> {
  if (!user.isAdmin || user.deactivatedAt) return false
  const admins = await User.query(client && { client })
    .where('role', 'admin')
    .whereNull('deactivated_at')
    .whereNull('invitation_token_hash')
  return admins.every(({ id }) => id === user.id)
}

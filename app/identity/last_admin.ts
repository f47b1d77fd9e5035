import User from '#models/user'
import type { QueryClientContract, TransactionClientContract } from '@adonisjs/lucid/types/database'

/**
 * Locks all admins for the transaction, before any other user and always in the same order, so two admins who
 * remove each other at the same time run one after the other, without a deadlock.
 */
export async function lockAdmins(trx: TransactionClientContract): Promise<void> {
  await User.query({ client: trx }).where('role', 'admin').orderBy('id').forUpdate()
}

/**
 * Returns whether the installation has no other admin. Admins with a pending invitation do not count. The
 * result stays valid while `lockAdmins` holds the admins.
 */
export async function isLastAdmin(user: User, client?: QueryClientContract): Promise<boolean> {
  if (!user.isAdmin || user.deactivatedAt) return false
  const admins = await User.query(client && { client })
    .where('role', 'admin')
    .whereNull('deactivated_at')
    .whereNull('invitation_token_hash')
  return admins.every(({ id }) => id === user.id)
}

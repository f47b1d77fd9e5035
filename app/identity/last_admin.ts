import User from '#models/user'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'

/**
 * Whether nobody but this user could administer the installation. Who has not taken their invitation
 * yet does not count. Within a transaction the admins stay locked, so that two admins cannot remove
 * each other at the same time.
 */
export async function isLastAdmin(user: User, client?: QueryClientContract): Promise<boolean> {
  if (!user.isAdmin || user.deactivatedAt) return false
  const query = User.query(client && { client })
    .where('role', 'admin')
    .whereNull('deactivated_at')
    .whereNull('invitation_token_hash')
    .orderBy('id')
  if (client?.isTransaction) query.forUpdate()
  const admins = await query
  return admins.every(({ id }) => id === user.id)
}

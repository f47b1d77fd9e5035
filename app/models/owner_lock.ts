import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import User from '#models/user'

/** Locks the owner's row, so that concurrent changes of their data see each other. */
export async function lockOwner(userId: string, trx: TransactionClientContract): Promise<void> {
  await User.query({ client: trx }).where('id', userId).forUpdate().first()
}

import db from '@adonisjs/lucid/services/db'

/**
 * Ends the sessions of a user that were used longest ago, so that with the one that begins (`newId`) there
 * are no more than `most`. Returns how many were ended.
 */
export async function endOldestSessions(
  userId: string,
  newId: string,
  most: number
): Promise<number> {
  const others = await db
    .from('sessions')
    .select('id')
    .where('user_id', userId)
    .whereNot('id', newId)
    .orderBy('expires_at', 'desc')
    .orderBy('id')
    .offset(most - 1)
    .limit(ENDED_AT_ONCE)
  const ids = others.map(({ id }: { id: string }) => id)
  if (ids.length > 0) await db.from('sessions').whereIn('id', ids).delete()
  return ids.length
}

/** Each sign-in makes one, so a few at once catch up with a limit that was lowered. */
const ENDED_AT_ONCE = 500

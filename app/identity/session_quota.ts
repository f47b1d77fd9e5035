import db from '@adonisjs/lucid/services/db'

/**
 * Ends a user's least recently used sessions, so that at most `most` remain including the new one (`newId`).
 * Returns how many it ended.
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

/** Each sign-in adds one session, so a few at a time catch up with a lowered limit. */
const ENDED_AT_ONCE = 500

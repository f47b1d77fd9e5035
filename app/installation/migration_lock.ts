import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from '@adonisjs/lucid/database'
import { E_DATABASE_MIGRATING } from '#exceptions/database_errors'

/** The advisory lock of Lucid's migrations, on databases that support it. */
export const MIGRATION_LOCK = 1

/** Wait for another process that migrates: an empty database takes a second, an upgrade longer. */
export const LOOK_EVERY_MS = 250
export const MOST_LOOKS = 480

/** A separate database session, because the session that took the lock must keep it and release it. */
const CONNECTION = 'migration lock'

/**
 * Takes the lock of migrations as soon as no other process has it. Returns what releases it.
 *
 * @throws E_DATABASE_MIGRATING after two minutes, the driver's error
 */
export async function lockMigrations(db: Database): Promise<() => Promise<void>> {
  if (!db.connection().dialect.supportsAdvisoryLocks) return async () => {}
  const { config } = db.getRawConnection(db.primaryConnectionName)!
  /** A pool closes idle sessions above its minimum, and the lock with them. */
  db.manager.add(CONNECTION, { ...config, pool: { ...config.pool, min: 1, max: 1 } })
  const close = () => db.manager.close(CONNECTION, true)
  const { dialect } = db.connection(CONNECTION)
  try {
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (await dialect.getAdvisoryLock(MIGRATION_LOCK)) {
        return async () => {
          await dialect.releaseAdvisoryLock(MIGRATION_LOCK)
          await close()
        }
      }
      await wait(LOOK_EVERY_MS)
    }
    throw new E_DATABASE_MIGRATING()
  } catch (error) {
    await close()
    throw error
  }
}

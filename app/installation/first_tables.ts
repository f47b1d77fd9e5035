import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from '@adonisjs/lucid/database'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import type { ApplicationService } from '@adonisjs/core/types'
import { E_DATABASE_MIGRATING, E_DATABASE_NOT_MIGRATED } from '#exceptions/database_errors'
import { pendingMigrations } from '#installation/pending_migrations'

/** Its own database session, so that the session that took the migration lock also releases it. */
const CONNECTION = 'first tables'

/** What the migrations keep count in; it may be there before any table is. */
const BOOKKEEPING = new Set(['adonis_schema', 'adonis_schema_versions'])

/** Where PostgreSQL puts the tables. SQLite has no such places. */
const PG_SCHEMA = 'public'

/** The lock that Lucid's migrations take where the database has such locks. */
const LOCK = 1

/** How long another replica may be at it: an empty database takes a second, an upgrade some. */
const LOOK_EVERY_MS = 250
const MOST_LOOKS = 480

/** How PostgreSQL and Lucid say that another replica was first: the lock, or a table just made. */
const OVERTAKEN = new Set(['E_UNABLE_ACQUIRE_LOCK', 'E_UNABLE_RELEASE_LOCK', '42P07', '23505'])

/**
 * Gives an empty database its tables, so that the first boot needs nothing but the two variables. One that
 * holds anything is left as it is: what changes data, a person begins who has a backup. Of several replicas
 * that boot at once one makes the tables, and the others wait for it.
 *
 * @throws E_DATABASE_NOT_MIGRATED, E_DATABASE_MIGRATING, the driver's error
 */
export async function makeFirstTables(db: Database, app: ApplicationService): Promise<void> {
  const { config } = db.getRawConnection(db.primaryConnectionName)!
  db.manager.add(CONNECTION, { ...config, pool: { ...config.pool, min: 0, max: 1 } })
  try {
    const client = db.connection(CONNECTION)
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (await isReady(client, db, app)) return
      await wait(LOOK_EVERY_MS)
    }
  } finally {
    await db.manager.close(CONNECTION, true)
  }
  throw new E_DATABASE_MIGRATING()
}

/** False while another replica is at it. Looks for tables before it looks for that replica, which may be done by then. */
async function isReady(
  client: QueryClientContract,
  db: Database,
  app: ApplicationService
): Promise<boolean> {
  try {
    const tables = await client.getAllTables([PG_SCHEMA])
    const isEmpty = tables.every((name) => BOOKKEEPING.has(name))
    if (!(await nobodyMigrates(client))) return false
    if ((await pendingMigrations(db, app, CONNECTION)).length === 0) return true
    if (!isEmpty) throw new E_DATABASE_NOT_MIGRATED()

    const runner = new MigrationRunner(db, app, { direction: 'up', connectionName: CONNECTION })
    await runner.run()
    if (runner.error) throw runner.error
    return true
  } catch (error) {
    if (OVERTAKEN.has((error as { code?: string }).code ?? '')) return false
    throw error
  }
}

async function nobodyMigrates({ dialect }: QueryClientContract): Promise<boolean> {
  if (!dialect.supportsAdvisoryLocks) return true
  if (!(await dialect.getAdvisoryLock(LOCK))) return false
  await dialect.releaseAdvisoryLock(LOCK)
  return true
}

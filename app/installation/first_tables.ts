import { setTimeout as wait } from 'node:timers/promises'
import type { Database } from '@adonisjs/lucid/database'
import type { QueryClientContract } from '@adonisjs/lucid/types/database'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import type { ApplicationService } from '@adonisjs/core/types'
import { hasCode } from '#drivers/error_code'
import { E_DATABASE_MIGRATING, E_DATABASE_NOT_MIGRATED } from '#exceptions/database_errors'
import SystemConfig from '#models/system_config'
import { LOOK_EVERY_MS, MIGRATION_LOCK, MOST_LOOKS } from '#installation/migration_lock'
import { checkVersion } from '#installation/migration_state'

/** A separate database session, because the session that took the migration lock must release it. */
const CONNECTION = 'first tables'

/** The migrations' own tables, which may exist before any other. */
const BOOKKEEPING = new Set(['adonis_schema', 'adonis_schema_versions'])

/** The schema of the tables in PostgreSQL. SQLite has none. */
const PG_SCHEMA = 'public'

/** Codes that say that another replica was first: the lock is taken, or a table was just created. */
const OVERTAKEN = ['E_UNABLE_ACQUIRE_LOCK', 'E_UNABLE_RELEASE_LOCK', '42P07', '23505']

/** The code for a missing table: another replica has renamed it since the tables were listed. */
const MISSING = '42P01'

/**
 * Creates the tables of an empty database, or those that an interrupted first boot left out, so that the first boot
 * needs nothing but the two variables. A database with data is left alone: only a person with a backup starts a
 * migration of data. If several replicas boot at once, one creates the tables and the others wait.
 *
 * @throws E_DATABASE_NOT_MIGRATED, E_DATABASE_NEWER, E_DATABASE_MIGRATING, the driver's error
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

/**
 * Returns false while another replica migrates. Reads the tables before it checks for that replica, which may
 * finish in between.
 */
async function isReady(
  client: QueryClientContract,
  db: Database,
  app: ApplicationService
): Promise<boolean> {
  try {
    const tables = await client.getAllTables([PG_SCHEMA])
    const isEmpty = await holdsNothing(client, tables)
    if (isEmpty === null) return false
    if (!(await nobodyMigrates(client))) return false
    const { pending } = await checkVersion(db, app, CONNECTION)
    if (pending.length === 0) return true
    if (!isEmpty) throw new E_DATABASE_NOT_MIGRATED()

    const runner = new MigrationRunner(db, app, { direction: 'up', connectionName: CONNECTION })
    await runner.run()
    if (runner.error) throw runner.error
    return true
  } catch (error) {
    if (hasCode(error, ...OVERTAKEN)) return false
    throw error
  }
}

/**
 * A first boot that was ended leaves some of Mosaic's tables, without a row. Returns null if a table is there no
 * more.
 */
async function holdsNothing(
  client: QueryClientContract,
  tables: string[]
): Promise<boolean | null> {
  const made = tables.filter((name) => !BOOKKEEPING.has(name))
  SystemConfig.boot()
  if (made.length === 0) return true
  if (!made.includes(SystemConfig.table)) return false
  try {
    for (const name of [SystemConfig.table, ...made]) {
      if ((await client.from(name).first()) !== null) return false
    }
  } catch (error) {
    if (hasCode(error, MISSING)) return null
    throw error
  }
  return true
}

async function nobodyMigrates({ dialect }: QueryClientContract): Promise<boolean> {
  if (!dialect.supportsAdvisoryLocks) return true
  if (!(await dialect.getAdvisoryLock(MIGRATION_LOCK))) return false
  await dialect.releaseAdvisoryLock(MIGRATION_LOCK)
  return true
}

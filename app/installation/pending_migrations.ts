import type { Database } from '@adonisjs/lucid/database'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import type { ApplicationService } from '@adonisjs/core/types'

/** Returns the names of this version's migrations that the database lacks. */
export async function pendingMigrations(
  db: Database,
  app: ApplicationService,
  connectionName?: string
): Promise<string[]> {
  const list = await new MigrationRunner(db, app, { direction: 'up', connectionName }).getList()
  return list.filter(({ status }) => status === 'pending').map(({ name }) => name)
}

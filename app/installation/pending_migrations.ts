import type { Database } from '@adonisjs/lucid/database'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import type { ApplicationService } from '@adonisjs/core/types'

/** The migrations of this version that the database has not seen yet, by name. */
export async function pendingMigrations(
  db: Database,
  app: ApplicationService,
  connectionName?: string
): Promise<string[]> {
  const list = await new MigrationRunner(db, app, { direction: 'up', connectionName }).getList()
  return list.filter(({ status }) => status === 'pending').map(({ name }) => name)
}

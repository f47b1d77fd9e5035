import type { Database } from '@adonisjs/lucid/database'
import { MigrationRunner } from '@adonisjs/lucid/migration'
import type { ApplicationService } from '@adonisjs/core/types'
import { E_DATABASE_NEWER } from '#exceptions/database_errors'

/** Names of migrations. */
export interface MigrationState {
  /** Those of this version that the database lacks. */
  pending: string[]
  /** Those that have run and that this version does not have: a newer version ran them. */
  unknown: string[]
}

export async function migrationState(
  db: Database,
  app: ApplicationService,
  connectionName?: string
): Promise<MigrationState> {
  const list = await new MigrationRunner(db, app, { direction: 'up', connectionName }).getList()
  const named = (wanted: string) =>
    list.filter(({ status }) => status === wanted).map(({ name }) => name)
  return { pending: named('pending'), unknown: named('corrupt') }
}

/**
 * Refuses the database of a newer version, whose tables this one would fill wrongly. Returns its state otherwise.
 *
 * @throws E_DATABASE_NEWER
 */
export async function checkVersion(
  ...database: Parameters<typeof migrationState>
): Promise<MigrationState> {
  const state = await migrationState(...database)
  if (state.unknown.length > 0) throw new E_DATABASE_NEWER(state.unknown.length)
  return state
}

import type { Database } from '@adonisjs/lucid/database'
import type { ApplicationService } from '@adonisjs/core/types'
import type { Settings } from '#settings/settings'
import { makeFirstTables } from '#installation/first_tables'
import { hasCode } from '#drivers/error_code'
import { E_VAULT_WRONG_KEY } from '#vaults/errors'
import { databaseFailure } from '#exceptions/database_failure'
import { E_DATABASE_UNREACHABLE } from '#exceptions/database_errors'
import { isTold } from '#exceptions/told'

/** Its words mean nothing: what counts is whether it opens. */
const SENTINEL = 'sealed by this installation'

/**
 * What must hold before the server listens: the database answers, has its tables, which an empty one gets
 * here, and was sealed with the key at hand.
 *
 * @throws E_DATABASE_NOT_MIGRATED, E_VAULT_WRONG_KEY, E_DATABASE_UNREACHABLE and its like
 */
export async function openDatabase(
  db: Database,
  app: ApplicationService,
  settings: Settings
): Promise<void> {
  try {
    await makeFirstTables(db, app)
  } catch (error) {
    throw named(error)
  }
  await checkBoot(settings)
  await settings.bindSecrets()
}

/**
 * What must hold before any secret is read: the database answers, has tables, and was sealed with the key
 * at hand. The first boot plants the sentinel that later boots open.
 *
 * @throws E_VAULT_WRONG_KEY, E_DATABASE_UNREACHABLE and what else `databaseFailure` names
 */
export async function checkBoot(settings: Settings): Promise<void> {
  try {
    const opened = await settings.get('vault.sentinel')
    if (opened === null) await settings.claim('vault.sentinel', SENTINEL)
  } catch (error) {
    throw named(error)
  }
}

function named(error: unknown): unknown {
  if (hasCode(error, 'E_VAULT_UNKNOWN_KEY', 'E_VAULT_TAMPERED')) {
    return new E_VAULT_WRONG_KEY(undefined, { cause: error })
  }
  if (isTold(error)) return error
  const known = databaseFailure(error)
  if (known) return known
  /** What comes from a database or the way to it has a code; what has none is a defect. */
  const isDefect = !(error as { code?: string }).code
  return isDefect ? error : new E_DATABASE_UNREACHABLE(undefined, { cause: error })
}

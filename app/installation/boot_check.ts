import type { Database } from '@adonisjs/lucid/database'
import type { ApplicationService } from '@adonisjs/core/types'
import type { RuntimeManager } from '#runtimes/manager'
import type { Settings } from '#settings/settings'
import { makeFirstTables } from '#installation/first_tables'
import { hasCode } from '#drivers/error_code'
import { E_VAULT_WRONG_KEY } from '#vaults/errors'
import type { VaultManager } from '#vaults/manager'
import { E_RUNTIME_NOT_INSTALLED, E_VAULT_NOT_INSTALLED } from '#installation/errors'
import { whyMissing } from '#plugins/plugin_loader'
import { databaseFailure } from '#exceptions/database_failure'
import { E_DATABASE_UNREACHABLE } from '#exceptions/database_errors'
import { isTold } from '#exceptions/told'

/** The text is arbitrary: what counts is whether it opens. */
const SENTINEL = 'sealed by this installation'

/**
 * Checks before the server listens: the database answers, has its tables (created here if it is empty), and was
 * sealed with the current key, and the vault and the runtime in use are installed.
 *
 * @throws E_DATABASE_NOT_MIGRATED, E_VAULT_WRONG_KEY, E_VAULT_MISSING, E_DATABASE_UNREACHABLE and its like,
 * E_VAULT_NOT_INSTALLED, E_RUNTIME_NOT_INSTALLED
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
  await checkDrivers(
    await app.container.make('vault.manager'),
    await app.container.make('runtime.manager'),
    settings
  )
  await settings.bindSecrets()
}

/**
 * Without the vault in use nothing can be sealed, and without the chosen runtime no agent starts: both are
 * reported at boot instead of to each user in turn.
 *
 * @throws E_VAULT_NOT_INSTALLED, E_RUNTIME_NOT_INSTALLED, errors of the vault's factory
 */
export async function checkDrivers(
  vaults: Pick<VaultManager, 'use' | 'names' | 'defaultName'>,
  runtimes: Pick<RuntimeManager, 'names'>,
  settings: Pick<Settings, 'get'>
): Promise<void> {
  const sealing = vaults.defaultName
  if (!vaults.names().includes(sealing)) {
    throw new E_VAULT_NOT_INSTALLED(sealing, vaults.names(), whyMissing('vaults', sealing))
  }
  await vaults.use()
  const chosen = await settings.get('runtime.driver')
  if (!runtimes.names().includes(chosen)) {
    throw new E_RUNTIME_NOT_INSTALLED(chosen, runtimes.names(), whyMissing('runtimes', chosen))
  }
}

/**
 * Checks before any secret is read: the database answers, has tables, and was sealed with the current key. The
 * first boot stores the sentinel that later boots open.
 *
 * @throws E_VAULT_WRONG_KEY, E_DATABASE_UNREACHABLE and others that `databaseFailure` names
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
  /** Errors of a database or the connection to it have a code; an error without one is a defect. */
  const isDefect = !(error as { code?: string }).code
  return isDefect ? error : new E_DATABASE_UNREACHABLE(undefined, { cause: error })
}

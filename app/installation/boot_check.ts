import type { Database } from '@adonisjs/lucid/database'
import type { ApplicationService } from '@adonisjs/core/types'
import type { RuntimeManager } from '#runtimes/manager'
import type { Settings } from '#settings/settings'
import { makeFirstTables } from '#installation/first_tables'
import { hasCode } from '#drivers/error_code'
import { checkVersion } from '#installation/migration_state'
import SystemConfig from '#models/system_config'
import { AES_PREFIX } from '#vaults/drivers/aes_256_gcm'
import { E_VAULT_UNKNOWN_KEY, E_VAULT_WRONG_KEY } from '#vaults/errors'
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
 * @throws E_DATABASE_NOT_MIGRATED, E_DATABASE_NEWER, E_VAULT_WRONG_KEY, E_VAULT_MISSING, E_DATABASE_UNREACHABLE and
 * its like, E_VAULT_NOT_INSTALLED, E_RUNTIME_NOT_INSTALLED
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
  checkVault(vaults)
  await vaults.use()
  const chosen = await settings.get('runtime.driver')
  if (!runtimes.names().includes(chosen)) {
    throw new E_RUNTIME_NOT_INSTALLED(chosen, runtimes.names(), whyMissing('runtimes', chosen))
  }
}

/** @throws E_VAULT_NOT_INSTALLED */
export function checkVault(vaults: Pick<VaultManager, 'names' | 'defaultName'>): void {
  const sealing = vaults.defaultName
  if (vaults.names().includes(sealing)) return
  throw new E_VAULT_NOT_INSTALLED(sealing, vaults.names(), whyMissing('vaults', sealing))
}

/**
 * Checks that the database answers and has tables. Opens no secret.
 *
 * @throws E_DATABASE_UNREACHABLE, E_DATABASE_NOT_MIGRATED and others that `databaseFailure` names
 */
export async function checkTables(settings: Pick<Settings, 'get'>): Promise<void> {
  try {
    await settings.get('runtime.driver')
  } catch (error) {
    throw named(error)
  }
}

/**
 * Checks before any secret is read: the database answers, has tables, and was sealed with the current key. The
 * first boot stores the sentinel that later boots open.
 *
 * @throws E_VAULT_WRONG_KEY if another `MOSAIC_SECRET_KEY` sealed it, errors of a plugin's vault as they are,
 * E_VAULT_MISSING, E_VAULT_UNREACHABLE, and like `checkTables`
 */
export async function checkBoot(settings: Pick<Settings, 'get' | 'claim'>): Promise<void> {
  if ((await openedSentinel(settings)) !== null) return
  try {
    await settings.claim('vault.sentinel', SENTINEL)
  } catch (error) {
    throw named(error)
  }
}

/**
 * Checks before tables change that this Mosaic can use them afterwards: no newer version has changed them, and the
 * key opens what they hold. Changes nothing.
 *
 * @throws E_DATABASE_NEWER, and like `checkBoot`
 */
export async function checkBeforeMigration(
  db: Database,
  app: ApplicationService,
  settings: Pick<Settings, 'get'>
): Promise<void> {
  try {
    await checkVersion(db, app)
    SystemConfig.boot()
    if (!(await db.connection().schema.hasTable(SystemConfig.table))) return
  } catch (error) {
    throw named(error)
  }
  await openedSentinel(settings)
}

async function openedSentinel(settings: Pick<Settings, 'get'>): Promise<string | null> {
  try {
    return await settings.get('vault.sentinel')
  } catch (error) {
    if (!hasCode(error, 'E_VAULT_UNKNOWN_KEY', 'E_VAULT_TAMPERED')) throw named(error)
    throw await namedKeyFailure(error)
  }
}

/** Keeps what a plugin's vault says: `MOSAIC_SECRET_KEY` is not its key. */
async function namedKeyFailure(error: Error): Promise<Error> {
  const sentinel = await SystemConfig.findBy('key', 'vault.sentinel')
  const isBuiltIn = sentinel?.value?.startsWith(AES_PREFIX) ?? true
  if (isBuiltIn) return new E_VAULT_WRONG_KEY(undefined, { cause: error })
  if (isTold(error)) return error
  return new E_VAULT_WRONG_KEY(error.message, { cause: error, help: E_VAULT_UNKNOWN_KEY.help })
}

function named(error: unknown): unknown {
  if (isTold(error)) return error
  const known = databaseFailure(error)
  if (known) return known
  /** Errors of a database or the connection to it have a code; an error without one is a defect. */
  const isDefect = !(error as { code?: string }).code
  return isDefect ? error : new E_DATABASE_UNREACHABLE(undefined, { cause: error })
}

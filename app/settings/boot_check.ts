import type { Settings } from '#settings/settings'
import { E_VAULT_TAMPERED, E_VAULT_UNKNOWN_KEY, E_VAULT_WRONG_KEY } from '#vaults/errors'
import { E_DATABASE_NOT_MIGRATED, E_DATABASE_UNREACHABLE } from '#settings/errors'

/** Its words mean nothing: what counts is whether it opens. */
const SENTINEL = 'sealed by this installation'

/** PostgreSQL's code for a table that does not exist; SQLite has words only. */
const UNDEFINED_TABLE = '42P01'

/**
 * What must hold before the server listens: the database answers, has its tables, and was sealed with
 * the key at hand. The first boot plants the sentinel that later boots open.
 *
 * @throws E_DATABASE_UNREACHABLE, E_DATABASE_NOT_MIGRATED, E_VAULT_WRONG_KEY
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
  if (error instanceof E_VAULT_UNKNOWN_KEY || error instanceof E_VAULT_TAMPERED) {
    return new E_VAULT_WRONG_KEY(undefined, { cause: error })
  }
  const { code, message } = error as { code?: string; message?: string }
  if (code === UNDEFINED_TABLE || message?.includes('no such table')) {
    return new E_DATABASE_NOT_MIGRATED(undefined, { cause: error })
  }
  return new E_DATABASE_UNREACHABLE(undefined, { cause: error })
}

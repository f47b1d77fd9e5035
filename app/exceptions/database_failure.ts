import type { Exception } from '@adonisjs/core/exceptions'
import { isDatabaseAway } from '#exceptions/database_away'
import { E_DISK_FULL, isDiskFull } from '#exceptions/disk_full'
import {
  E_DATABASE_NOT_MIGRATED,
  E_DATABASE_REFUSED,
  E_DATABASE_UNKNOWN,
  E_DATABASE_UNREACHABLE,
} from '#exceptions/database_errors'
import { E_DATABASE_FILE } from '#vaults/errors'

/** PostgreSQL's code for a missing table; SQLite has only a message. */
const UNDEFINED_TABLE = '42P01'

/** PostgreSQL's class 28, "invalid authorization". */
const NOT_AUTHORIZED = /^28[0-9A-Z]{3}$/
const UNKNOWN_DATABASE = '3D000'

/** SQLite's codes for a problem with its file. */
const BAD_FILE = /^SQLITE_(NOTADB|CANTOPEN|CORRUPT|READONLY|IOERR|PERM|AUTH)/

/** Returns why the database is unusable, from its driver's error; null for any other error. */
export function databaseFailure(error: unknown): Exception | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: string }
  const said = typeof code === 'string' ? code : ''
  const because = { cause: error }
  if (said === UNDEFINED_TABLE || message?.includes('no such table')) {
    return new E_DATABASE_NOT_MIGRATED(undefined, because)
  }
  if (NOT_AUTHORIZED.test(said)) return new E_DATABASE_REFUSED(undefined, because)
  if (said === UNKNOWN_DATABASE) return new E_DATABASE_UNKNOWN(undefined, because)
  if (isDiskFull(error)) return new E_DISK_FULL(undefined, because)
  if (BAD_FILE.test(said)) return new E_DATABASE_FILE(undefined, because)
  return isDatabaseAway(error) ? new E_DATABASE_UNREACHABLE(undefined, because) : null
}

import { CodedError } from '#drivers/contract_error'

/** Codes of file systems, SQLite and PostgreSQL. */
const CODES = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', '53100'])

/** Neither rows nor files can be stored. */
export class E_DISK_FULL extends CodedError {
  static override status = 503
  static override message = 'The disk that Mosaic stores its data on is full.'
  static override help = 'Tell an admin: they must make room on it. Nothing was changed.'
}

/** Returns whether an error or one of its causes is a full disk. */
export function isDiskFull(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return CODES.has(String(code)) || (cause !== undefined && isDiskFull(cause))
}

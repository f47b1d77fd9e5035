import { Exception } from '@adonisjs/core/exceptions'

/** How a file system, SQLite and PostgreSQL say it. */
const CODES = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL', '53100'])

/** Nothing more can be stored: neither rows nor files. */
export class E_DISK_FULL extends Exception {
  static override code = 'E_DISK_FULL'
  static override status = 503
  static override message = 'The disk that Mosaic stores its data on is full.'
  static override help = 'Tell an admin: they must make room on it. Nothing was changed.'
}

/** Whether an error, or what caused it, is a disk without room. */
export function isDiskFull(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return CODES.has(String(code)) || (cause !== undefined && isDiskFull(cause))
}

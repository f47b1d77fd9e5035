import { Exception } from '@adonisjs/core/exceptions'
import app from '@adonisjs/core/services/app'

/** PostgreSQL takes no connection, or ended this one: it stops, starts, or has crashed. */
const STATES = /^(08[0-9A-Z]{3}|57P0[1-3])$/

/** How its driver says that a connection is gone, after the query where there was one. */
const GONE =
  /Connection (terminated|ended)( unexpectedly)?$|connection error and is not queryable$/i

/** Where the address of PostgreSQL is, if that is the database: see `config/database.ts`. */
const CONNECTION = 'database.connections.main.connection.connectionString'

/** SQLite's writer waits for another for seconds before it says so. */
const BUSY = /^SQLITE_BUSY/

/** The database does not answer just now. Whatever was to be stored may or may not have been. */
export class E_DATABASE_AWAY extends Exception {
  static override code = 'E_DATABASE_AWAY'
  static override status = 503
  static override message = 'The database that Mosaic keeps everything in does not answer.'
  static override help = 'Try again in a moment. If it goes on, tell an admin.'
}

/** Whether an error, or what caused it, says that the database is away, and not that it refused something. */
export function isDatabaseAway(error: unknown): boolean {
  return isCut(error) || isAway(error)
}

/**
 * What Node says of a query whose connection was cut. Others meet the same, so it counts only as it comes
 * from the driver: whatever else Mosaic calls has its own words around it.
 */
function isCut(error: unknown): boolean {
  const { code, syscall } = (error ?? {}) as Failure
  return (syscall === 'read' || syscall === 'write') && (code === 'ECONNRESET' || code === 'EPIPE')
}

function isAway(error: unknown): boolean {
  if (error instanceof E_DATABASE_AWAY) return true
  if (typeof error !== 'object' || error === null) return false
  const { code, name, message, cause, errors } = error as Failure
  if (typeof code === 'string' && (STATES.test(code) || BUSY.test(code))) return true
  if (name === 'KnexTimeoutError' || GONE.test(message ?? '')) return true
  if (isOfItsConnection(error as Failure)) return true
  return [cause, ...(Array.isArray(errors) ? errors : [])].some(isAway)
}

interface Failure {
  code?: unknown
  name?: string
  message?: string
  cause?: unknown
  /** A name with several addresses was tried at each. */
  errors?: unknown
  syscall?: string
  address?: string
  hostname?: string
  port?: number
}

/** Any other service may refuse a connection too: it is told apart by where it was to go. */
function isOfItsConnection({ syscall, address, hostname, port }: Failure): boolean {
  if (syscall !== 'connect' && syscall !== 'getaddrinfo') return false
  if (syscall === 'connect' && port === undefined) return /\.s\.PGSQL\.\d+$/.test(address ?? '')
  const url = app.config.get<string | undefined>(CONNECTION)
  if (!url) return false
  const place = new URL(url)
  if (syscall === 'getaddrinfo') return hostname === place.hostname
  return port === Number(place.port || 5432)
}

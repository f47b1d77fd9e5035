import { CodedError } from '#drivers/contract_error'
import app from '@adonisjs/core/services/app'

/** PostgreSQL accepts no connection, or closed this one: it is stopping, starting, or has crashed. */
const STATES = /^(08[0-9A-Z]{3}|57P0[1-3])$/

/** Driver messages for a lost connection, possibly after the query text. */
const GONE =
  /Connection (terminated|ended)( unexpectedly)?$|connection error and is not queryable$/i

/** Config path of PostgreSQL's URL, if PostgreSQL is in use: see `config/database.ts`. */
const CONNECTION = 'database.connections.main.connection.connectionString'

/** SQLite's writer waits seconds for another before it reports this. */
const BUSY = /^SQLITE_BUSY/

/** The database does not answer. Pending writes may or may not have been stored. */
export class E_DATABASE_AWAY extends CodedError {
  static override status = 503
  static override message = 'The database that Mosaic keeps everything in does not answer.'
  static override help = 'Try again in a moment. If it goes on, tell an admin.'
}

/**
 * Returns whether an error or one of its causes means that the database is away, not that it refused something.
 */
export function isDatabaseAway(error: unknown): boolean {
  return isCut(error) || isAway(error)
}

/**
 * Node's errors for a query on a closed connection. Other connections fail with the same errors, so only an unwrapped
 * one counts: Mosaic's other callers wrap theirs.
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
  /** Set if the host name had several addresses and each was tried. */
  errors?: unknown
  syscall?: string
  address?: string
  hostname?: string
  port?: number
}

/** Other services may refuse a connection too: the address tells them apart. */
function isOfItsConnection({ syscall, address, hostname, port }: Failure): boolean {
  if (syscall !== 'connect' && syscall !== 'getaddrinfo') return false
  if (syscall === 'connect' && port === undefined) return /\.s\.PGSQL\.\d+$/.test(address ?? '')
  const url = app.config.get<string | undefined>(CONNECTION)
  if (!url) return false
  const place = new URL(url)
  if (syscall === 'getaddrinfo') return hostname === place.hostname
  return port === Number(place.port || 5432)
}

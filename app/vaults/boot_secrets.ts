import { dirname, join, resolve } from 'node:path'
import { randomBytes } from 'node:crypto'
import { appendFileSync, chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { parseSecretKeys, type SecretKey } from '#vaults/secret_keys'
import {
  E_DATABASE_FILE,
  E_DATABASE_URL_INVALID,
  E_DATABASE_URL_MISSING,
  E_SECRET_KEY_MISSING,
} from '#vaults/errors'

export interface BootSecrets {
  /** Location of the rows: a SQLite file (absolute path) or a PostgreSQL URL. */
  database: { client: 'better-sqlite3'; filename: string } | { client: 'pg'; url: string }
  /** The keys of `MOSAIC_SECRET_KEY`; the first one seals. Never empty. */
  keys: [SecretKey, ...SecretKey[]]
  /** What was made because it was missing, a sentence each: a person may have meant another one. */
  made: string[]
}

export interface BootSecretsInput {
  /** The file that keeps a generated development key. */
  envFile: string
  storagePath: string
  mode: 'development' | 'production' | 'test'
  databaseUrl?: string
  secretKey?: string
}

/**
 * Validates the two variables that boot Mosaic. Production needs both. Elsewhere a missing database becomes a
 * SQLite file under `storage/`, and a missing key is generated once and kept in `.env` (mode 0600).
 *
 * @throws E_DATABASE_URL_MISSING, E_DATABASE_URL_INVALID, E_DATABASE_FILE, E_SECRET_KEY_MISSING,
 * E_SECRET_KEY_WEAK
 */
export function bootSecrets(input: BootSecretsInput): BootSecrets {
  const made: string[] = []
  const database = parseDatabaseUrl(input, made)
  return { database, keys: parseSecretKeys(secretKeyText(input, made)), made }
}

function parseDatabaseUrl(
  { storagePath, mode, databaseUrl }: BootSecretsInput,
  made: string[]
): BootSecrets['database'] {
  if (!databaseUrl && mode === 'production') throw new E_DATABASE_URL_MISSING()

  const url = databaseUrl || `sqlite:${join(storagePath, 'mosaic.sqlite3')}`
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return { client: 'pg', url }

  const path = /^sqlite:(?:\/\/)?(.+)$/.exec(url)?.[1]
  if (!path) throw new E_DATABASE_URL_INVALID()

  const filename = resolve(path)
  const isNew = !existsSync(filename)
  try {
    makePrivate(filename)
  } catch (error) {
    throw new E_DATABASE_FILE(undefined, { cause: error })
  }
  if (isNew)
    made.push(
      `${databaseUrl ? 'A' : 'DATABASE_URL is not set: a'} new database was made: ${filename}`
    )
  return { client: 'better-sqlite3', filename }
}

/** Agents are other users of this machine. SQLite gives its companion files the same mode. */
function makePrivate(filename: string): void {
  mkdirSync(dirname(filename), { recursive: true })
  closeSync(openSync(filename, 'a', 0o600))
  chmodSync(filename, 0o600)
}

function secretKeyText({ envFile, mode, secretKey }: BootSecretsInput, made: string[]): string {
  if (secretKey) return secretKey
  if (mode === 'production') throw new E_SECRET_KEY_MISSING()

  const key = randomBytes(32).toString('base64url')
  const line = `# Seals every secret in the database. Keep it: without it they cannot be opened.\nMOSAIC_SECRET_KEY=${key}\n`
  appendFileSync(envFile, existsSync(envFile) ? `\n${line}` : line, { mode: 0o600 })
  chmodSync(envFile, 0o600)
  process.env.MOSAIC_SECRET_KEY = key
  made.push(`MOSAIC_SECRET_KEY is not set: a new key was made, and kept in ${envFile}`)
  return key
}

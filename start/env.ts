/**
 * The environment. Two variables boot Mosaic (`DATABASE_URL`, `MOSAIC_SECRET_KEY`); the others are optional addresses,
 * paths and safeguards. Every other setting is a row in the database, most of them edited in the UI.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Env } from '@adonisjs/core/env'
import { bootSecrets } from '#vaults/boot_secrets'

const root = new URL('../', import.meta.url)

process.env.NODE_ENV ??= 'development'

const env = await Env.create(root, {
  NODE_ENV: Env.schema.enum(['development', 'production', 'test'] as const),
  HOST: Env.schema.string.optional(),
  PORT: Env.schema.number.optional(),
  PUBLISHED_URL: Env.schema.string.optional({ format: 'url', tld: false }),
  INTERNAL_HOST: Env.schema.string.optional(),
  INTERNAL_PORT: Env.schema.number.optional(),
  INTERNAL_URL: Env.schema.string.optional({ format: 'url', tld: false }),
  STORAGE_PATH: Env.schema.string.optional(),
  SHUTDOWN_NOTICE_SEC: Env.schema.number.optional(),
  SHUTDOWN_DRAIN_SEC: Env.schema.number.optional(),
  VAULT_DRIVER: Env.schema.string.optional(),
  UNISOLATED_AGENTS: Env.schema.enum.optional(['accept'] as const),
  LOG_LEVEL: Env.schema.enum.optional([
    'trace',
    'debug',
    'info',
    'warn',
    'error',
    'fatal',
    'silent',
  ] as const),
  DATABASE_URL: Env.schema.string.optional(),
  MOSAIC_SECRET_KEY: Env.schema.secret.optional(),
})

/** The address for browsers. Adonis reads both from `process.env` when it starts to listen. */
process.env.HOST ??= env.get('NODE_ENV') === 'production' ? '0.0.0.0' : '127.0.0.1'
process.env.PORT ??= '3333'

/** Absolute path of agents' data, the installed OpenClaw and, by default, the SQLite file. */
export const storagePath = resolve(env.get('STORAGE_PATH') ?? 'storage')

/** The database and the keys; validated here, so that a bad value fails the boot before anything starts. */
export const secrets = bootSecrets({
  envFile: fileURLToPath(new URL('.env', root)),
  storagePath,
  mode: env.get('NODE_ENV'),
  databaseUrl: env.get('DATABASE_URL'),
  secretKey: env.get('MOSAIC_SECRET_KEY')?.release(),
})

export default env

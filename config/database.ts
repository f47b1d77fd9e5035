import { Settings as Luxon } from 'luxon'
import { secrets } from '#start/env'
import { defineConfig } from '@adonisjs/lucid'
import { addFoldedFunction } from '#models/folded'

const migrations = { naturalSort: true, paths: ['database/migrations'] }
const schemaGeneration = {
  enabled: process.env.NODE_ENV === 'development',
  rulesPaths: ['./database/schema_rules.js'],
  /** Tables without a model: their code speaks SQL. */
  excludeTables: [
    'agent_uses',
    'agent_wakes',
    'auth_access_tokens',
    'provider_failures',
    'rate_limits',
    'replicas',
    'search_collections',
    'search_documents',
    'search_words',
    'sessions',
    'vector_slots',
  ],
}

/** SQLite stores times without a zone: all of them are UTC, whatever the machine's zone. */
Luxon.defaultZone = 'utc'

/** Options of `pg`: without them, a query whose server or network is gone without a word waits for ever. */
const keptAlive = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 }

/** One connection, chosen by `DATABASE_URL`. */
const databaseConfig = defineConfig({
  connection: 'main',
  connections: {
    main:
      secrets.database.client === 'pg'
        ? {
            client: 'pg',
            connection: { connectionString: secrets.database.url, ...keptAlive },
            migrations,
            schemaGeneration,
          }
        : {
            client: 'better-sqlite3',
            connection: { filename: secrets.database.filename },
            useNullAsDefault: true,
            migrations,
            schemaGeneration,
            pool: {
              /** Allows readers beside one writer, and lets writers wait for each other rather than fail. */
              afterCreate(connection, done) {
                addFoldedFunction(connection)
                connection.pragma('journal_mode = WAL')
                connection.pragma('synchronous = NORMAL')
                connection.pragma('foreign_keys = ON')
                connection.pragma('busy_timeout = 5000')
                done(null, connection)
              },
            },
          },
  },
})

export default databaseConfig

import { readFileSync } from 'node:fs'
import type { ApplicationService } from '@adonisjs/core/types'

/** Versions of the running components. */
export interface Versions {
  mosaic: string
  node: string
  openclaw: string
  /** The database type, and the version it reports. */
  database: string
}

export async function versions(app: ApplicationService): Promise<Versions> {
  const json = (path: string) => JSON.parse(readFileSync(app.makePath(path), 'utf8'))
  return {
    mosaic: json('package.json').version,
    node: process.versions.node,
    openclaw: json('docker/agent/package.json').dependencies.openclaw,
    database: await databaseVersion(app),
  }
}

async function databaseVersion(app: ApplicationService): Promise<string> {
  const db = (await app.container.make('lucid.db')).connection()
  if (db.dialect.name === 'postgres') {
    const { rows } = await db.rawQuery('show server_version')
    return `PostgreSQL ${rows[0].server_version}`
  }
  const [row] = await db.rawQuery('select sqlite_version() as version')
  return `SQLite ${row.version}`
}

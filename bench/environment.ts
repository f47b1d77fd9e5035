import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '#tests/free_port'

const ROOT = fileURLToPath(new URL('../', import.meta.url))

/** A migrated production installation in a temporary folder, with its own ports. */
export interface Installation {
  folder: string
  env: NodeJS.ProcessEnv
  remove(): void
}

/** `databaseUrl` names an empty database; the default is a file in the folder. */
export async function newInstallation(databaseUrl?: string): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'mosaic-bench-'))
  /** Agents run as other users and must be able to enter. */
  chmodSync(folder, 0o711)
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
    DATABASE_URL: databaseUrl ?? `sqlite:${join(folder, 'mosaic.sqlite3')}`,
    MOSAIC_SECRET_KEY: randomBytes(32).toString('base64'),
    STORAGE_PATH: join(folder, 'storage'),
    HOST: '127.0.0.1',
    PORT: String(await freePort()),
    INTERNAL_HOST: '127.0.0.1',
    INTERNAL_PORT: String(await freePort()),
  }
  execFileSync(process.execPath, ['ace.js', 'migration:run', '--force'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return { folder, env, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '#tests/free_port'

/** Seals the secrets of tests, and of nothing else. */
const TEST_KEY = 'kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E'

/**
 * Gives a test run its own database, ports, key and storage folder, so that runs beside each other and
 * beside a developer's server never meet. `DATABASE_URL` may name another database: PostgreSQL, in CI;
 * `MOSAIC_TEST_DOCKER_HOST` the Docker engine of the tests.
 */
export async function useOwnEnvironment(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mosaic-test-'))
  // Agents that run as users of their own must get through it to their data.
  chmodSync(folder, 0o711)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

  process.env.DATABASE_URL ??= `sqlite:${join(folder, 'mosaic.sqlite3')}`
  process.env.MOSAIC_SECRET_KEY = TEST_KEY
  process.env.STORAGE_PATH = join(folder, 'storage')
  process.env.PLUGINS_PATH = join(folder, 'plugins')
  // Where tests do not run as root, agents of several users share the machine.
  process.env.UNISOLATED_AGENTS = 'accept'
  process.env.HOST = '127.0.0.1'
  process.env.PORT = String(await freePort())
  process.env.INTERNAL_HOST = '127.0.0.1'
  process.env.INTERNAL_PORT = String(await freePort())

  const engine = process.env.MOSAIC_TEST_DOCKER_HOST
  if (engine) {
    process.env.DOCKER_HOST = engine
    // Agents in containers reach no loopback but their own.
    process.env.INTERNAL_HOST = '0.0.0.0'
  }
}

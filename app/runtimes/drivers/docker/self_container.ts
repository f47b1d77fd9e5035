import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Engine } from '#runtimes/drivers/docker/engine'

/** Files that container engines put into every container. */
const SIGNS = ['/.dockerenv', '/run/.containerenv']

/** Whether this process runs in a container of whatever engine. */
export function isInContainer(): boolean {
  return SIGNS.some((path) => existsSync(path))
}

/**
 * The container of this engine that Mosaic runs in, or null: it runs on the machine itself, shares the
 * machine's network, or belongs to another engine.
 *
 * @param named what the configuration says: null for none, undefined to look
 */
export async function selfContainer(
  engine: Engine,
  named: string | null | undefined
): Promise<string | null> {
  if (named === null) return null
  if (named === undefined && !isInContainer()) return null
  for (const candidate of named ? [named] : await candidates()) {
    const found = await engine.find((docker, options) =>
      docker.getContainer(candidate).inspect(options)
    )
    if (found?.State.Running) return found.HostConfig.NetworkMode === 'host' ? null : found.Id
  }
  return null
}

/** The engine names a container's host by its id, and binds files from a folder named so. */
async function candidates(): Promise<string[]> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  const ids = [...mounts.matchAll(/\/containers\/([0-9a-f]{64})\//g)].map(([, id]) => id)
  return [...new Set([...ids, hostname()])]
}

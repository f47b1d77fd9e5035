import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Engine } from '#runtimes/engine/engine'

/** Files that container engines create in every container. */
const SIGNS = ['/.dockerenv', '/run/.containerenv']

/** Whether this process runs in a container of any engine. */
export function isInContainer(): boolean {
  return SIGNS.some((path) => existsSync(path))
}

/**
 * Returns the container of this engine that Mosaic runs in. Null if it runs on the machine itself,
 * shares the machine's network, or belongs to another engine.
 *
 * @param named the configured value: null for none, undefined to detect it
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

/** An engine uses a container's id as its host name, and mounts files from a folder of that name. */
async function candidates(): Promise<string[]> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  const ids = [...mounts.matchAll(/\/containers\/([0-9a-f]{64})\//g)].map(([, id]) => id)
  return [...new Set([...ids, hostname()])]
}

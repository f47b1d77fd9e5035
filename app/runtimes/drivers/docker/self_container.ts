import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { RuntimeError } from '#runtimes/errors'
import type { Engine } from '#runtimes/engine/engine'

/** Files that container engines create in every container. */
const SIGNS = ['/.dockerenv', '/run/.containerenv']

/** Whether this process runs in a container of any engine. */
export function isInContainer(): boolean {
  return SIGNS.some((path) => existsSync(path))
}

/**
 * Returns the container of this engine that Mosaic runs in. Null if it runs on the machine itself or
 * shares the machine's network, also that of an engine in the same container.
 *
 * @param named the configured value: null for none, undefined to detect it
 * @throws RuntimeError if it runs in a container elsewhere, from which it reaches no agent
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
  if (named === undefined && isBeside(engine)) return null
  throw new RuntimeError(
    'engine_unreachable',
    `Mosaic runs in a container that the engine at ${engine.host} does not know.`,
    { help: 'Run Mosaic in a container of the engine of its agents, or let agents run in a swarm.' }
  )
}

function isBeside({ host, isLocal }: Engine): boolean {
  return isLocal || /^(?:localhost|127\.\d+\.\d+\.\d+)$/.test(new URL(host).hostname)
}

/** An engine uses a container's id as its host name, and mounts files from a folder of that name. */
async function candidates(): Promise<string[]> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  const ids = [...mounts.matchAll(/\/containers\/([0-9a-f]{64})\//g)].map(([, id]) => id)
  return [...new Set([...ids, hostname()])]
}

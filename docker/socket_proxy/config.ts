import { fileURLToPath } from 'node:url'

/** The proxy's configuration, from its environment alone. */
export interface SocketProxyConfig {
  host: string
  port: number
  /** The engine's socket. */
  engine: string
  /** Repositories (`ghcr.io/openclaw/openclaw`), or single tags of them, that agents may use. */
  images: string[]
  /** The installation to serve; null: the first one that asks. */
  installation: string | null
  /** File that remembers the first installation across restarts; null: in memory only. */
  memory: string | null
  /** Range (CIDR, IPv4) for agents' networks. */
  range: string
  /** A folder on the engine's machine; agents get their own subfolder of it, read-only. Null for none. */
  secretsFolder: string | null
  /** Where the engine is a manager whose swarm agents may use; null: nothing about a swarm is let through. */
  swarm: SwarmConfig | null
  /** Maximum limits of one container. */
  ceilings: { memoryMb: number; cpus: number; processes: number }
}

export interface SwarmConfig {
  /** The folder of agents' data that all nodes have; null for none. */
  sharedFolder: string | null
  /** The plugin of agents' volumes that all nodes reach, with its options; null for none. */
  volumes: { Name: string; Options: Record<string, string> } | null
  /** Folder of the scripts that services may run as root. */
  scripts: string
}

const PREFIX = 'SOCKET_PROXY_'

/** Beside the proxy, in the repository and in its image. */
const SCRIPTS = fileURLToPath(new URL('../agent', import.meta.url))

/** @throws Error with a sentence for the operator */
export function configFrom(environment: NodeJS.ProcessEnv): SocketProxyConfig {
  const get = (name: string) => environment[`${PREFIX}${name}`]?.trim() || null
  const number = (name: string, fallback: number) => {
    const value = Number(get(name) ?? fallback)
    if (Number.isFinite(value) && value > 0) return value
    throw new Error(`${PREFIX}${name} must be a number above zero.`)
  }
  const images = (get('IMAGES') ?? '').split(',').flatMap((image) => image.trim() || [])
  if (images.length === 0) {
    throw new Error(`${PREFIX}IMAGES must name the images of agents, separated by commas.`)
  }
  return {
    host: get('HOST') ?? '0.0.0.0',
    port: number('PORT', 2375),
    engine: get('ENGINE') ?? '/var/run/docker.sock',
    images,
    installation: get('INSTALLATION'),
    memory: get('MEMORY'),
    range: get('RANGE') ?? '10.213.0.0/16',
    secretsFolder: get('SECRETS_FOLDER'),
    swarm:
      get('SWARM') === 'allow'
        ? {
            sharedFolder: get('SHARED_FOLDER'),
            volumes: volumesFrom(get('VOLUME_DRIVER'), get('VOLUME_OPTIONS')),
            scripts: SCRIPTS,
          }
        : null,
    ceilings: {
      memoryMb: number('MAX_MEMORY_MB', 8192),
      cpus: number('MAX_CPUS', 8),
      processes: number('MAX_PROCESSES', 4096),
    },
  }
}

/** Options are `key=value`, separated by spaces: a value may contain commas. */
function volumesFrom(driver: string | null, options: string | null): SwarmConfig['volumes'] {
  if (driver === null) return null
  const pairs = (options ?? '').split(/\s+/).filter((option) => option !== '')
  const Options = Object.fromEntries(
    pairs.map((option) => {
      const at = option.indexOf('=')
      if (at < 1) throw new Error(`${PREFIX}VOLUME_OPTIONS must be key=value, separated by spaces.`)
      return [option.slice(0, at), option.slice(at + 1)]
    })
  )
  return { Name: driver, Options }
}

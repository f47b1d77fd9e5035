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
      get('SWARM') === 'allow' ? { sharedFolder: get('SHARED_FOLDER'), scripts: SCRIPTS } : null,
    ceilings: {
      memoryMb: number('MAX_MEMORY_MB', 8192),
      cpus: number('MAX_CPUS', 8),
      processes: number('MAX_PROCESSES', 4096),
    },
  }
}

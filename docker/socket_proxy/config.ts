/** What the proxy is told, by its environment alone. */
export interface SocketProxyConfig {
  host: string
  port: number
  /** The engine's socket. */
  engine: string
  /** Repositories (`ghcr.io/openclaw/openclaw`), or single tags of them, that agents may be made from. */
  images: string[]
  /** The installation that is served; null for the first one that asks. */
  installation: string | null
  /** Keeps the first installation over restarts; null keeps it in memory alone. */
  memory: string | null
  /** The range (CIDR, IPv4) that networks of agents may lie in. */
  range: string
  /** A folder of the engine's machine of which agents get their own subfolder, read-only; null for none. */
  secretsFolder: string | null
  /** What one container may ask for at most. */
  ceilings: { memoryMb: number; cpus: number; processes: number }
}

const PREFIX = 'SOCKET_PROXY_'

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
    ceilings: {
      memoryMb: number('MAX_MEMORY_MB', 8192),
      cpus: number('MAX_CPUS', 8),
      processes: number('MAX_PROCESSES', 4096),
    },
  }
}

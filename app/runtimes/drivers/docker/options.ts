/** The docker driver's options, from `config/runtime.ts` and from the installation's settings. */
import type { Clock } from '#timing/clock'
import type { FreeBytes } from '#runtimes/disk_space'
import type { PullPolicy } from '#runtimes/engine/images'

/** Settings that an admin may change while Mosaic runs. Read at each start of an agent. */
export interface DockerSettings {
  /** `unix:///path` or `tcp://host:port`; null means DOCKER_HOST, else the machine's own socket. */
  host: string | null
  /** Whether agents reach the public internet. Private networks stay closed to them either way. */
  egress: 'open' | 'sealed'
  /** The image of specs that name none, and of the preflight; null means the default one. */
  image: string | null
  /** When the image is pulled: if the engine lacks it, before each start, or only by hand. */
  pullPolicy: PullPolicy
  /** Range (CIDR) from which each agent gets a /29 when Mosaic runs in a container. */
  range: string
}

/** A target that no agent may reach; the isolation proof tries to. */
export interface ForbiddenPlace {
  /** Its name in messages: "the database". */
  name: string
  host: string
  port: number
}

export interface DockerDriverConfig {
  /** The launcher, `docker/agent/entrypoint.sh`, which is delivered into every container. */
  entrypoint: string
  /** The image of specs that name none. */
  image: string
  /** The port of Mosaic's internal listener, the only port of Mosaic's machine that agents reach. */
  internalPort: number
  /** Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine behind TLS. */
  certificates?: string | null
  /**
   * Folder on a tmpfs for the agents' tokens, which the engine must see under the same path. The
   * default is a folder of this machine if the engine sees it. Null keeps tokens in volumes of the
   * engine, which is also the fallback.
   */
  secretsFolder?: string | null
  /** The container that Mosaic runs in, by id or name; null if it runs in none. Detected by default. */
  container?: string | null
  forbidden?: ForbiddenPlace[]
  /** False if the operator manages the packet filter: Mosaic then only tests it. */
  firewall?: boolean
  settings?: () => Promise<Partial<DockerSettings>>
  /** An agent's default processor limit, for the preflight. */
  processors?: () => Promise<number>
  /** Returns the free space on a folder's disk; tests tell another. */
  freeBytes?: FreeBytes
  /** How long an image pull may take, in milliseconds. A caller may stop waiting earlier. */
  pullBudgetMs?: number
  /** Grace of an instance that another spec replaces, in milliseconds. */
  replaceGraceMs?: number
  environment?: NodeJS.ProcessEnv
  /** Measures the age of proofs; tests substitute their own. */
  clock?: Clock
}

export const DEFAULT_SETTINGS: DockerSettings = {
  host: null,
  egress: 'open',
  image: null,
  pullPolicy: 'missing',
  range: '10.213.0.0/16',
}

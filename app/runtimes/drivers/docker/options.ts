/** What the docker driver is told, by `config/runtime.ts` and by the installation's settings. */
import { createHash } from 'node:crypto'

/** What an admin may change while Mosaic runs. Read at each start of an agent. */
export interface DockerSettings {
  /** `unix:///path` or `tcp://host:port`; null means DOCKER_HOST, else the machine's own socket. */
  host: string | null
  /** Whether agents reach the public internet. Private networks stay closed to them either way. */
  egress: 'open' | 'sealed'
  /** What agents start from whose spec names none, and what is looked for ahead; null means the default one. */
  image: string | null
  /** When the image is fetched: if the engine lacks it, before each start, or by hand. */
  pullPolicy: 'missing' | 'always' | 'never'
  /** Range (CIDR) of which each agent gets a /29, where Mosaic runs in a container. */
  range: string
}

/** Something that no agent may reach, tried out by the isolation proof. */
export interface ForbiddenPlace {
  /** For the message: "the database". */
  name: string
  host: string
  port: number
}

export interface DockerDriverConfig {
  /** The launcher, `docker/agent/entrypoint.sh`, which is put into every container. */
  entrypoint: string
  /** What runs where a spec names no image. */
  image: string
  /** The port of Mosaic's internal listener: the only one of Mosaic's machine that agents reach. */
  internalPort: number
  /** Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine behind TLS. */
  certificates?: string | null
  /**
   * Folder on a tmpfs for the agents' tokens, which the engine sees under the same path; by default one
   * of this machine where the engine turns out to see it. Null keeps tokens in volumes of the engine, as
   * is done where it sees none.
   */
  secretsFolder?: string | null
  /** The container that Mosaic runs in, by id or name; null where it runs in none. By default it looks. */
  container?: string | null
  forbidden?: ForbiddenPlace[]
  /** False where the operator keeps the packet filter of the machine: then Mosaic only tries it out. */
  firewall?: boolean
  settings?: () => Promise<Partial<DockerSettings>>
  /** Processors that an agent may use unless its spec says otherwise, for a look ahead. */
  processors?: () => Promise<number>
  /** How long fetching an image may take, in milliseconds. Whoever waits for it may leave earlier. */
  pullBudgetMs?: number
  /** Milliseconds that an instance gets to end when another spec replaces it. */
  replaceGraceMs?: number
  environment?: NodeJS.ProcessEnv
}

export const DEFAULT_SETTINGS: DockerSettings = {
  host: null,
  egress: 'open',
  image: null,
  pullPolicy: 'missing',
  range: '10.213.0.0/16',
}

/** The user that agents run as, in every image: OpenClaw's own image calls it `node`. */
export const AGENT_UID = 1000

/** The port of the gateway inside its container. */
export const GATEWAY_PORT = 18789

/** The agent's data, on a volume of its own. */
export const STATE_FOLDER = '/home/node/.openclaw'

/** The launcher and the token, read-only. */
export const HANDED_FOLDER = '/run/mosaic'

/** Short enough for names of networks and bridges, long enough to be unique on one engine. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

/** The swarm driver's options: from `config/runtime.ts`, and from the form in the administration. */
import type { ForbiddenPlace } from '#runtimes/drivers/docker/options'
import type { NodeLabels } from '#runtimes/contract'
import type { RuntimeOption, RuntimeOptionValues } from '#runtimes/options'

/** Options that an admin sets in the form of the runtime. */
export const SWARM_OPTIONS = [
  {
    name: 'constraints',
    type: 'text',
    label: 'Placement',
    help: 'Constraints of Docker for the nodes of agents, separated by commas: node.role==worker.',
    default: null,
  },
  {
    name: 'reserve',
    type: 'number',
    label: 'Reserved memory (%)',
    help: 'Share of an agent’s memory limit that a node must have free for it to start there.',
    default: 50,
    min: 0,
    max: 100,
    whole: true,
  },
] as const satisfies readonly RuntimeOption[]

/** Settings that an admin may change while Mosaic runs. */
export interface SwarmSettings extends RuntimeOptionValues<typeof SWARM_OPTIONS> {
  /** A manager, `unix:///path` or `tcp://host:port`; null means DOCKER_HOST, else the machine's own socket. */
  host: string | null
  /** A folder that all nodes have mounted at this path; null keeps data in volumes. */
  sharedPath: string | null
  /** The plugin of volumes that all nodes reach, without `sharedPath`; null keeps data in volumes of single nodes. */
  volumeDriver: string | null
  /** Options of its volumes, each as `key=value`. */
  volumeOptions: string[]
  /** IPv4 ranges from which Mosaic connects to agents, besides its own address and the nodes'. */
  sources: string[]
  /** Whether agents reach the public internet. Private networks stay closed to them either way. */
  egress: 'open' | 'sealed'
  /** The image of specs that name none, and of the driver's own services; null means the default one. */
  image: string | null
}

export interface SwarmDriverConfig {
  /** Folder with `entrypoint.sh`, `keeper.sh`, `steward.mjs` and `guard.sh`, which services get as configs. */
  scripts: string
  /** The image of specs that name none. */
  image: string
  /** The port of Mosaic's internal listener. */
  internalPort: number
  /** Where all nodes reach that listener; null means the manager's address, at that port. */
  internalUrl?: string | null
  /** Folder with `ca.pem`, `cert.pem` and `key.pem` for an engine behind TLS. */
  certificates?: string | null
  forbidden?: ForbiddenPlace[]
  settings: () => Promise<SwarmSettings>
  environment?: NodeJS.ProcessEnv
}

/** Returns the constraints for nodes with these labels. */
export function labelled(labels: NodeLabels = {}): string[] {
  return Object.entries(labels).map(([key, value]) => `node.labels.${key}==${value}`)
}

/** Returns the constraints that keep a task off the nodes with these ids. */
export function excluded(nodes: Iterable<string>): string[] {
  return [...nodes].map((id) => `node.id!=${id}`)
}

/** Splits an option that lists values. */
export function listed(text: string | null): string[] {
  return (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

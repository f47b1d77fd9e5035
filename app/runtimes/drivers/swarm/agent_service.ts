import { createHash } from 'node:crypto'
import type { InstanceSpec } from '#runtimes/contract'
import {
  AGENT_UID,
  agentEnvironment,
  GATEWAY_PORT,
  HANDED_FOLDER,
  nameServers,
  STATE_FOLDER,
} from '#runtimes/engine/agent_container'
import { AGENT_HOST } from '#runtimes/launch'
import { agentLabels, LABEL } from '#runtimes/engine/labels'
import type { FileReference } from '#runtimes/drivers/swarm/handed_files'
import type { ServiceSpec, TaskSpec } from '#runtimes/drivers/swarm/objects'

const MEBIBYTE = 1024 * 1024
const SECOND_NS = 1e9

/** Two files are kept. */
export const LOG = { Name: 'json-file', Options: { 'max-size': '1m', 'max-file': '2' } }

/** Files in /tmp count towards the agent's memory. */
const TMP_MB = 256

/**
 * The grace of a stop. A swarm takes it from the service, so it is the same for all stops; a gateway that was
 * drained ends at once.
 */
export const GRACE_SEC = 5

/** The part of the volume that is the agent's; the rest is for the steward. */
export const AGENT_STATE = `${STATE_FOLDER}/state`

/** Label with the length and the SHA-256 of the token, by which logs are cleaned. */
export const TOKEN_LABEL = 'mosaic.token'

/** Exit code by which the keeper reports that the kernel killed the agent for lack of memory. */
export const OUT_OF_MEMORY = 99

/** What the services of agents, probes and data have in common. */
export interface Placement {
  network: string
  constraints: string[]
}

/** What a swarm can restrict of a task on the agents' network. */
export function hardened({ network, constraints }: Placement, limits: InstanceSpec['limits']) {
  return {
    Resources: {
      Limits: {
        MemoryBytes: limits.memoryMb * MEBIBYTE,
        NanoCPUs: Math.round(limits.cpus * 1e9),
        Pids: limits.processes,
      },
    },
    // Only the agent's lifecycle decides whether it runs.
    RestartPolicy: { Condition: 'none' },
    Networks: [{ Target: network }],
    Placement: { Constraints: constraints },
    LogDriver: LOG,
  } satisfies Partial<TaskSpec>
}

/** The container's part of `hardened`. */
export function hardenedContainer(
  image: string,
  memoryMb: number,
  egress: 'open' | 'sealed' = 'open'
) {
  const Nameservers = nameServers(egress)
  return {
    Image: image,
    ...(Nameservers && { DNSConfig: { Nameservers } }),
    User: `${AGENT_UID}:${AGENT_UID}`,
    Init: true,
    ReadOnly: true,
    CapabilityDrop: ['ALL'],
    // A swarm starts an unhealthy task elsewhere, which only the agent's lifecycle may do.
    Healthcheck: { Test: ['NONE'] },
    StopSignal: 'SIGTERM',
    StopGracePeriod: GRACE_SEC * SECOND_NS,
    Mounts: [tmpfs(Math.min(TMP_MB, Math.floor(memoryMb / 4)))],
  }
}

/** A port of the node's choice that leads to the container, without the swarm's own load balancer. */
export const ENDPOINT = {
  Mode: 'dnsrr',
  Ports: [{ Protocol: 'tcp', TargetPort: GATEWAY_PORT, PublishMode: 'host' }],
}

export function tmpfs(megabytes: number) {
  return {
    Type: 'tmpfs',
    Target: '/tmp',
    TmpfsOptions: { SizeBytes: megabytes * MEBIBYTE, Mode: 0o1777 },
  }
}

export interface AgentServiceInput {
  spec: InstanceSpec
  image: string
  placement: Placement
  shape: string
  /** The id of the swarm. */
  engine: string | null
  /** Mount of the agent's volume at `STATE_FOLDER`. */
  state: Record<string, unknown>
  secrets: FileReference[]
  configs: FileReference[]
  /** Whether another node may take the agent over, so that the keeper must hold the lease of its data. */
  isShared: boolean
  egress: 'open' | 'sealed'
  /** Percent of the memory limit that a node must have free. */
  reserve: number
}

/** Returns the service of an agent, which does not run yet. It contains no secret. */
export function agentService(input: AgentServiceInput): ServiceSpec {
  const { spec, image, placement, shape, engine, state, secrets, configs, isShared, reserve } =
    input
  const labels = {
    ...agentLabels(spec, shape, engine),
    [TOKEN_LABEL]: fingerprint(spec.token.release()),
  }
  const container = hardenedContainer(image, spec.limits.memoryMb, input.egress)
  const task = hardened(placement, spec.limits)
  const reserved = Math.floor((spec.limits.memoryMb * MEBIBYTE * reserve) / 100)
  return {
    Name: spec.name,
    Labels: labels,
    Mode: { Replicated: { Replicas: 0 } },
    TaskTemplate: {
      ...task,
      Resources: { ...task.Resources, Reservations: { MemoryBytes: reserved } },
      ForceUpdate: 0,
      ContainerSpec: {
        ...container,
        Hostname: AGENT_HOST,
        Command: ['/bin/sh', `${HANDED_FOLDER}/keeper.sh`],
        Env: [
          ...agentEnvironment(spec, AGENT_STATE),
          ...(isShared ? [`MOSAIC_LEASE=${STATE_FOLDER}/lease`, 'MOSAIC_HOLDER={{.Task.ID}}'] : []),
        ],
        Labels: {
          [LABEL.installation]: spec.installation,
          [LABEL.name]: spec.name,
          [LABEL.spec]: spec.hash,
        },
        Mounts: [...container.Mounts, state],
        Secrets: secrets,
        Configs: configs,
      },
    },
    EndpointSpec: ENDPOINT,
    UpdateConfig: { Parallelism: 0, Order: 'stop-first', FailureAction: 'continue' },
  }
}

function fingerprint(token: string): string {
  return `${token.length}:${createHash('sha256').update(token).digest('hex')}`
}

/**
 * Takes the token out of a line, by its fingerprint, because no manager gives a secret back: as a word, or at
 * either end of one.
 */
export function withoutToken(line: string, label: string | undefined): string {
  const [length, hash] = label?.split(':') ?? []
  const size = Number(length)
  if (!size || !hash) return line
  const isToken = (text: string) => createHash('sha256').update(text).digest('hex') === hash
  return line.replace(/[\w-]+/g, (word) => {
    if (word.length < size) return word
    if (isToken(word.slice(0, size))) return `[token]${word.slice(size)}`
    if (isToken(word.slice(-size))) return `${word.slice(0, -size)}[token]`
    return word
  })
}

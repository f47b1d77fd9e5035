import type Docker from 'dockerode'
import type { DockerSettings } from '#runtimes/drivers/docker/options'
import type { InstanceSpec } from '#runtimes/contract'
import { AGENT_HOST } from '#runtimes/launch'
import { agentLabels, type Labels } from '#runtimes/engine/labels'
import {
  AGENT_UID,
  agentEnvironment,
  HANDED_FOLDER,
  HEALTHCHECK,
  nameServers,
} from '#runtimes/engine/agent_container'

const MEBIBYTE = 1024 * 1024

/** Maximum size of a log file. Agents log only errors; two files are kept. */
const LOG_SIZE = '1m'

/** Files in /tmp count towards the agent's memory. */
const TMP_MB = 256

/** The processor shares of a running agent; see `STOP_ASKED`. */
const NORMAL_SHARES = 1024
/**
 * Processor shares that mark an agent as asked to stop, so that its exit can be told from a crash
 * later. Unlike labels, shares can be changed on an existing container, and a stopping agent may well
 * yield to others.
 */
export const STOP_ASKED = 512

export interface Placement {
  network: string
  egress: DockerSettings['egress']
}

/** The container's restrictions, whatever its image says. Agents and probes share them. */
export function hardened(
  limits: InstanceSpec['limits'],
  { network, egress }: Placement
): Docker.ContainerCreateOptions['HostConfig'] {
  const memory = limits.memoryMb * MEBIBYTE
  const Dns = nameServers(egress)
  return {
    NetworkMode: network,
    ...(Dns && { Dns }),
    Privileged: false,
    PublishAllPorts: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
    IpcMode: 'private',
    Init: true,
    Memory: memory,
    // The same value as `Memory` means no swap.
    MemorySwap: memory,
    NanoCpus: Math.round(limits.cpus * 1e9),
    CpuShares: NORMAL_SHARES,
    PidsLimit: limits.processes,
    OomScoreAdj: 500,
    // Only the agent's lifecycle decides whether it runs.
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'json-file', Config: { 'max-size': LOG_SIZE, 'max-file': '2' } },
    Tmpfs: {
      '/tmp': `rw,nosuid,nodev,mode=1777,size=${Math.min(TMP_MB, Math.floor(limits.memoryMb / 4))}m`,
    },
  }
}

export interface ContainerInput extends Placement {
  spec: InstanceSpec
  /** The image's id, so that exactly the pulled image is used. */
  image: string
  shape: string
  /** As `Engine.identity`. */
  engine: string | null
  mounts: Docker.MountSettings[]
}

/**
 * Returns the options of an agent's container. They contain no secret: the token is in a file of the
 * mounted folder.
 */
export function agentContainer(input: ContainerInput): Docker.ContainerCreateOptions {
  const { spec, image, shape, engine, mounts } = input
  return {
    name: spec.name,
    Hostname: AGENT_HOST,
    Image: image,
    User: `${AGENT_UID}:${AGENT_UID}`,
    Entrypoint: ['/bin/sh', `${HANDED_FOLDER}/entrypoint.sh`],
    Cmd: [],
    Env: agentEnvironment(spec),
    Labels: agentLabels(spec, shape, engine),
    StopSignal: 'SIGTERM',
    Healthcheck: HEALTHCHECK,
    HostConfig: { ...hardened(spec.limits, input), Mounts: mounts },
  }
}

/** Returns the options of a container that serves to copy files into volumes and never starts. */
export function fillerContainer(
  image: string,
  labels: Labels,
  mounts: Docker.MountSettings[]
): Docker.ContainerCreateOptions {
  return {
    Image: image,
    Entrypoint: ['/bin/false'],
    Cmd: [],
    Labels: labels,
    NetworkDisabled: true,
    HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], Mounts: mounts },
  }
}

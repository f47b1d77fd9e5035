import type Docker from 'dockerode'
import type { InstanceSpec } from '#runtimes/contract'
import { agentLabels, type Labels } from '#runtimes/drivers/docker/labels'
import {
  AGENT_UID,
  GATEWAY_PORT,
  HANDED_FOLDER,
  STATE_FOLDER,
} from '#runtimes/drivers/docker/options'

const MEBIBYTE = 1024 * 1024

/** A log of an agent holds errors only. At most twice as much is kept. */
const LOG_SIZE = '1m'

/** What lies in /tmp counts as memory of the agent. */
const TMP_MB = 256

/** Often enough to be seen by an operator: each check costs the start of a Node. */
const HEALTH_EVERY_NS = 60 * 1e9
const HEALTH_TIMEOUT_NS = 10 * 1e9
const BOOT_NS = 180 * 1e9

/** A share of processor time that no agent has by itself; see `STOP_ASKED`. */
const NORMAL_SHARES = 1024
/**
 * Marks that an agent was asked to stop, for every later look at how it ended: labels cannot be changed,
 * this can. And whoever is leaving may well give way to those who come.
 */
export const STOP_ASKED = 512

/** What a container may do at most, whatever its image says. An agent and a probe get the same. */
export function hardened(
  limits: InstanceSpec['limits'],
  network: string
): Docker.ContainerCreateOptions['HostConfig'] {
  const memory = limits.memoryMb * MEBIBYTE
  return {
    NetworkMode: network,
    Privileged: false,
    PublishAllPorts: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
    IpcMode: 'private',
    Init: true,
    Memory: memory,
    // The same value again means: no swap beside it.
    MemorySwap: memory,
    NanoCpus: Math.round(limits.cpus * 1e9),
    CpuShares: NORMAL_SHARES,
    PidsLimit: limits.processes,
    OomScoreAdj: 500,
    // Whether an agent runs is decided by its lifecycle alone.
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'json-file', Config: { 'max-size': LOG_SIZE, 'max-file': '2' } },
    Tmpfs: {
      '/tmp': `rw,nosuid,nodev,mode=1777,size=${Math.min(TMP_MB, Math.floor(limits.memoryMb / 4))}m`,
    },
  }
}

export interface ContainerInput {
  spec: InstanceSpec
  /** The image by its id, so that it is the one that was fetched. */
  image: string
  network: string
  shape: string
  mounts: Docker.MountSettings[]
}

/** The container of an agent. No secret is in it: the token is in a file of the handed folder. */
export function agentContainer(input: ContainerInput): Docker.ContainerCreateOptions {
  const { spec, image, network, shape, mounts } = input
  return {
    name: spec.name,
    // OpenClaw's lease in the state folder names the host: another name would wait for its end.
    Hostname: spec.name.slice(0, 63),
    Image: image,
    User: `${AGENT_UID}:${AGENT_UID}`,
    Entrypoint: ['/bin/sh', `${HANDED_FOLDER}/entrypoint.sh`],
    Cmd: [],
    Env: environment(spec),
    Labels: agentLabels(spec, shape),
    StopSignal: 'SIGTERM',
    Healthcheck: {
      Test: ['CMD', 'node', '-e', HEALTH_CHECK],
      Interval: HEALTH_EVERY_NS,
      Timeout: HEALTH_TIMEOUT_NS,
      StartPeriod: BOOT_NS,
      Retries: 3,
    },
    HostConfig: { ...hardened(spec.limits, network), Mounts: mounts },
  }
}

const HEALTH_CHECK =
  `fetch('http://127.0.0.1:${GATEWAY_PORT}/healthz')` +
  `.then((answer)=>process.exit(answer.ok?0:1),()=>process.exit(1))`

function environment(spec: InstanceSpec): string[] {
  const cache = `${STATE_FOLDER}/.cache`
  const variables = {
    HOME: '/home/node',
    LANG: 'C.UTF-8',
    TZ: Intl.DateTimeFormat().resolvedOptions().timeZone,
    XDG_CACHE_HOME: cache,
    NODE_COMPILE_CACHE: `${cache}/node`,
    OPENCLAW_STATE_DIR: STATE_FOLDER,
    OPENCLAW_CONFIG_PATH: `${STATE_FOLDER}/openclaw.json`,
    // Else OpenClaw starts itself once more, only to name a subfolder of the cache.
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
    AGENT_ID: spec.agent,
    MOSAIC_API_URL: spec.apiUrl,
    MOSAIC_SECRETS_FILE: `${HANDED_FOLDER}/secrets.json`,
    MOSAIC_GATEWAY_PORT: String(GATEWAY_PORT),
    MOSAIC_GATEWAY_BIND: 'lan',
  }
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`)
}

/** A container that is made to put files into volumes, and never started. */
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

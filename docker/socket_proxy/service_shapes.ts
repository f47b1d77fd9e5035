/** The fields that services of a swarm may have, by what they are for. A test keeps them in step with the swarm driver. */
import { NAME, NO_NAMES } from '#socket_proxy/container_rules'
import type { SocketProxyConfig } from '#socket_proxy/config'
import {
  between,
  exactly,
  flag,
  list,
  object,
  oneOf,
  optional,
  record,
  text,
  type Check,
} from '#socket_proxy/shape'

/** What the swarm driver makes services for. A guard and a steward are root; their scripts are the proxy's own. */
export const PURPOSES = ['agent', 'probe', 'steward', 'guard'] as const
export type Purpose = (typeof PURPOSES)[number]

/** Ports of agents' gateways. */
const GATEWAY_PORT = 18_789

const STATE_FOLDER = '/home/node/.openclaw'
const MEBIBYTE = 1024 * 1024
const HOUR_NS = 3600e9

export const SWARM_LABELS: Check = record(/^mosaic\.[a-z0-9.]{1,64}$/, text(/^[^\0]{0,256}$/))

const WORDS = list(text(/^[^\0]{0,65536}$/), { max: 64 })
const ENVIRONMENT = list(text(/^[A-Za-z_][A-Za-z0-9_]*=[^\0]{0,65536}$/))
const NO_HEALTH_CHECK = ['NONE']
const DIGITS = text(/^\d{1,10}$/)

/** A constraint of placement: `node.id==…`. */
const CONSTRAINT = text(/^[\w.-]{1,128} ?[!=]= ?[\w.-]{1,128}$/)

const USERS: Record<Purpose, Check> = {
  // Numeric: the image decides what a name means.
  agent: text(/^[1-9]\d{0,9}:[1-9]\d{0,9}$/),
  probe: text(/^[1-9]\d{0,9}:[1-9]\d{0,9}$/),
  steward: oneOf('0:0'),
  guard: oneOf('0:0'),
}

const CAPABILITIES: Record<Purpose, Check> = {
  agent: list(oneOf(), { max: 0 }),
  probe: list(oneOf(), { max: 0 }),
  steward: list(capability('CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID'), { max: 5 }),
  guard: list(capability('NET_ADMIN', 'NET_RAW', 'SYS_CHROOT'), { max: 3 }),
}

/** A root's shell or Node would take orders from other variables. `root_rules.ts` checks the values. */
const ENVIRONMENTS: Record<Purpose, Check> = {
  agent: ENVIRONMENT,
  probe: ENVIRONMENT,
  steward: list(text(/^MOSAIC_DATA=[^\0]{1,512}$/), { min: 1, max: 1 }),
  guard: list(text(/^MOSAIC_(?:(?:RULES|JUMPS|BRIDGE)=[^\0]{1,65536}|NODE=\{\{\.Node\.ID\}\})$/), {
    min: 3,
    max: 4,
  }),
}

/** An engine runs a health check as the service's user. */
const HEALTH_TESTS: Record<Purpose, Check> = {
  agent: WORDS,
  probe: WORDS,
  steward: exactly(NO_HEALTH_CHECK),
  guard: exactly(['CMD-SHELL', 'test -e /tmp/ready']),
}

function capability(...names: string[]): Check {
  return oneOf(...names, ...names.map((name) => `CAP_${name}`))
}

const TMPFS = {
  Type: oneOf('tmpfs'),
  Target: oneOf('/tmp', '/node'),
  TmpfsOptions: object({
    SizeBytes: between(1, 4096 * MEBIBYTE),
    Mode: optional(between(0, 0o1777)),
  }),
}

/** A driver's options could bind any folder: `service_rules.ts` admits the operator's alone. */
const VOLUME = {
  Type: oneOf('volume'),
  Source: text(NAME),
  Target: oneOf(STATE_FOLDER, '/data'),
  VolumeOptions: object({
    NoCopy: optional(flag),
    Labels: SWARM_LABELS,
    DriverConfig: optional(
      object({
        Name: text(/^[^\0]{1,255}$/),
        Options: optional(record(/^[\w.-]{1,64}$/, text(/^[^\0]{0,1024}$/))),
      })
    ),
  }),
}

/** Its source is checked with the rest of the service. */
const BIND = {
  Type: oneOf('bind'),
  Source: text(/^\/[^\0]{0,512}$/),
  Target: oneOf(STATE_FOLDER, '/shared', '/node/usr'),
  ReadOnly: optional(flag),
}

const MOUNT: Check = (value, at) => {
  const shapes: Record<string, Record<string, Check>> = { tmpfs: TMPFS, volume: VOLUME, bind: BIND }
  const type = String((value as { Type?: unknown } | null)?.Type)
  return object(Object.hasOwn(shapes, type) ? shapes[type] : TMPFS)(value, at)
}

const FILE = (name: Check) =>
  optional(object({ Name: name, UID: DIGITS, GID: DIGITS, Mode: between(0, 0o777) }))
const HANDED = text(/^\/run\/mosaic\/[a-z_.]{1,64}$/)
const ID = text(/^[a-z0-9]{1,64}$/)

const secrets = (name: Check, max: number) =>
  list(object({ File: FILE(name), SecretID: ID, SecretName: text(NAME) }), { max })

/** A root's secret could lie over its script. */
const SECRETS: Record<Purpose, Check> = {
  agent: secrets(HANDED, 4),
  probe: secrets(HANDED, 4),
  steward: secrets(oneOf('/run/mosaic/steward.json'), 1),
  guard: list(oneOf(), { max: 0 }),
}

/** Returns the shape of the services of a purpose. */
export function serviceShape(purpose: Purpose, ceilings: SocketProxyConfig['ceilings']): Check {
  const isGlobal = purpose === 'guard' || purpose === 'probe'
  const isRoot = purpose === 'guard' || purpose === 'steward'
  const limits = object({
    MemoryBytes: between(16 * MEBIBYTE, ceilings.memoryMb * MEBIBYTE),
    NanoCPUs: optional(between(1e7, ceilings.cpus * 1e9)),
    Pids: between(1, ceilings.processes),
  })
  const reservations = object({
    MemoryBytes: optional(between(0, ceilings.memoryMb * MEBIBYTE)),
  })
  const container = object({
    Image: text(/^[^\0]{1,512}$/),
    Labels: SWARM_LABELS,
    Hostname: optional(text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/)),
    Command: WORDS,
    Env: isRoot ? ENVIRONMENTS[purpose] : optional(ENVIRONMENTS[purpose]),
    User: USERS[purpose],
    Init: optional(flag),
    ReadOnly: oneOf(true),
    CapabilityDrop: list(oneOf('ALL', 'all', 'CAP_ALL'), { min: 1, max: 1 }),
    CapabilityAdd: optional(CAPABILITIES[purpose]),
    // As an engine spells it: a change sends back the spec that an inspection gave.
    Healthcheck: optional(
      object({
        Test: HEALTH_TESTS[purpose],
        Interval: optional(between(0, HOUR_NS)),
        Timeout: optional(between(0, HOUR_NS)),
        StartPeriod: optional(between(0, HOUR_NS)),
        Retries: optional(between(0, 100)),
      })
    ),
    StopSignal: optional(oneOf('SIGTERM', 'SIGINT')),
    StopGracePeriod: optional(between(0, HOUR_NS)),
    Mounts: optional(list(MOUNT, { max: 4 })),
    Secrets: optional(SECRETS[purpose]),
    Configs: optional(
      list(object({ File: FILE(HANDED), ConfigID: ID, ConfigName: text(NAME) }), { max: 4 })
    ),
    DNSConfig: optional(object({ Nameservers: NO_NAMES })),
    Isolation: optional(oneOf('default')),
  })
  return object({
    Name: text(NAME),
    Labels: SWARM_LABELS,
    Mode: isGlobal
      ? object({ Global: object({}) })
      : object({ Replicated: object({ Replicas: between(0, 1) }) }),
    TaskTemplate: object({
      ContainerSpec: container,
      Resources: object({ Limits: limits, Reservations: optional(reservations) }),
      RestartPolicy: object({
        Condition: purpose === 'guard' ? oneOf('any') : oneOf('none'),
        Delay: optional(between(0, HOUR_NS)),
      }),
      Networks: list(object({ Target: text(NAME) }), { min: 1, max: 1 }),
      Placement: optional(object({ Constraints: optional(list(CONSTRAINT, { max: 1024 })) })),
      LogDriver: optional(
        object({
          Name: oneOf('json-file', 'local', 'none'),
          Options: optional(record(/^max-(size|file)$/, text(/^\d{1,6}[kmg]?$/))),
        })
      ),
      ForceUpdate: optional(between(0, Number.MAX_SAFE_INTEGER)),
      Runtime: optional(oneOf('container')),
    }),
    EndpointSpec: optional(
      object({
        Mode: oneOf('dnsrr'),
        Ports: optional(
          list(
            object({
              Protocol: oneOf('tcp'),
              TargetPort: oneOf(GATEWAY_PORT),
              // The node chooses one: no service takes a port of the node's own.
              PublishMode: oneOf('host'),
            }),
            { max: 1 }
          )
        ),
      })
    ),
    UpdateConfig: optional(
      object({
        Parallelism: optional(between(0, 100)),
        Order: optional(oneOf('stop-first', 'start-first')),
        FailureAction: optional(oneOf('continue', 'pause')),
        Monitor: optional(between(0, HOUR_NS)),
      })
    ),
  })
}

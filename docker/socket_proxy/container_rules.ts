import type { Belongings } from '#socket_proxy/belongings'
import type { SocketProxyConfig } from '#socket_proxy/config'
import type { Engine } from '#socket_proxy/engine'
import type { ImageRules } from '#socket_proxy/image_rules'
import { INSTALLATION_LABEL, type Installation } from '#socket_proxy/installation'
import { Refusal } from '#socket_proxy/refusal'
import {
  between,
  flag,
  isObject,
  list,
  object,
  oneOf,
  optional,
  record,
  text,
  type Check,
} from '#socket_proxy/shape'

/** A test keeps this in step with the docker driver: whatever the driver requests passes. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

const NAME_LABEL = 'mosaic.name'
export const PURPOSE_LABEL = 'mosaic.purpose'

/** Folders of agents' data, of their launcher and token, and of the volume that a filler fills. */
const STATE_FOLDER = '/home/node/.openclaw'
const HANDED_FOLDER = '/run/mosaic'
const FILLED_FOLDER = '/filled'

const MEBIBYTE = 1024 * 1024

/** Mosaic's labels only: compose and other tools act on their own. */
const LABELS: Check = record(
  /^mosaic\.(installation|agent|name|generation|spec|shape|engine|purpose)$/,
  text(/^[^\0]{0,256}$/)
)

/** The name server of sealed agents, which leads nowhere. */
export const NO_NAMES: Check = optional(list(oneOf('192.0.2.1'), { max: 1 }))

const WORDS = list(text(/^[^\0]{0,65536}$/), { max: 256 })

const MOUNTS: Check = list(
  object({
    Type: oneOf('volume', 'bind'),
    Source: text(/^[^\0]{1,512}$/),
    Target: oneOf(STATE_FOLDER, HANDED_FOLDER, FILLED_FOLDER),
    ReadOnly: optional(flag),
  }),
  { max: 2 }
)

/** tmpfs options that give a program no advantage. */
const TMPFS_OPTIONS =
  /^(?=.*\bnosuid\b)(?=.*\bnodev\b)(?=.*\bsize=\d)(?:(?:rw|nosuid|nodev|noexec|(?:mode|uid|gid)=\d{1,7}|size=\d{1,10}[kmg]?)(?:,|$))+$/

interface Mount {
  Type: 'volume' | 'bind'
  Source: string
  Target: string
  ReadOnly?: boolean
}

interface Memory {
  Memory?: number
  MemorySwap?: number
}

interface Checked {
  Image: string
  Labels: Record<string, string>
  HostConfig: Memory & { NetworkMode: string; Mounts?: Mount[] }
  NetworkingConfig?: { EndpointsConfig?: Record<string, unknown> }
}

export interface ContainerRuleParts {
  engine: Engine
  config: SocketProxyConfig
  installation: Installation
  belongings: Belongings
  images: ImageRules
}

/** Rules for containers created through the proxy. */
export class ContainerRules {
  readonly #parts: ContainerRuleParts
  readonly #agent: Check
  readonly #filler: Check
  readonly #update: Check

  constructor(parts: ContainerRuleParts) {
    this.#parts = parts
    this.#agent = object(this.#agentShape())
    this.#filler = object(fillerShape())
    this.#update = object({
      ...this.#limits(optional),
      RestartPolicy: optional(object({ Name: oneOf('no') })),
    })
  }

  /**
   * Rebuilds the body of a create from its permitted fields.
   *
   * @param name from the query; null if the engine is to choose one
   * @throws Refusal
   */
  async create(body: unknown, name: string | null): Promise<unknown> {
    if (!isObject(body)) throw new Refusal('The body must be an object', 400)
    const { name: repeated, ...rest } = body
    if (name !== null && !NAME.test(name)) throw new Refusal('This is no name of a container', 400)
    if (repeated !== undefined && repeated !== name) throw new Refusal('Two names are given', 400)

    const labels = isObject(rest.Labels) ? rest.Labels : {}
    this.#parts.installation.take(labels[INSTALLATION_LABEL])
    const isFiller = labels[PURPOSE_LABEL] === 'filler'
    const checked = (isFiller ? this.#filler : this.#agent)(rest, '') as Checked
    checkLabels(checked.Labels, name)
    if (!isFiller) checkSwap(checked.HostConfig)

    // Uses the ID from here on: the name could point to another image a moment later.
    const image = await this.#parts.images.find(checked.Image)
    if (image) checked.Image = image.Id
    await this.#checkNetwork(checked)
    await this.#checkMounts(checked, isFiller)
    return checked
  }

  /** Rebuilds the body of an update. @throws Refusal */
  update(body: unknown): unknown {
    const checked = this.#update(body ?? {}, '') as Memory
    checkSwap(checked)
    return checked
  }

  #agentShape(): Record<string, Check> {
    return {
      ...common(),
      Hostname: optional(text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/)),
      // Numeric: the image decides what a name means.
      User: text(/^[1-9]\d{0,9}:[1-9]\d{0,9}$/),
      Env: optional(list(text(/^[A-Za-z_][A-Za-z0-9_]*=[^\0]{0,8192}$/))),
      WorkingDir: optional(text(/^\/[^\0]{0,512}$/)),
      StopSignal: optional(oneOf('SIGTERM', 'SIGINT')),
      StopTimeout: optional(between(0, 3600)),
      Healthcheck: optional(
        object({
          Test: WORDS,
          Interval: optional(between(1e9, 3600e9)),
          Timeout: optional(between(1e9, 3600e9)),
          StartPeriod: optional(between(0, 3600e9)),
          Retries: optional(between(0, 100)),
        })
      ),
      NetworkingConfig: optional(
        object({ EndpointsConfig: optional(record(NAME, object({ Aliases: optional(WORDS) }))) })
      ),
      HostConfig: object({
        ...this.#limits((check) => check),
        NetworkMode: text(NAME),
        Dns: NO_NAMES,
        CapDrop: list(oneOf('ALL', 'all'), { min: 1, max: 1 }),
        SecurityOpt: list(oneOf('no-new-privileges', 'no-new-privileges:true'), { min: 1, max: 1 }),
        ReadonlyRootfs: oneOf(true),
        IpcMode: oneOf('private', 'none'),
        Init: optional(flag),
        CpuShares: optional(between(2, 1024)),
        OomScoreAdj: optional(between(0, 1000)),
        RestartPolicy: object({ Name: oneOf('no') }),
        LogConfig: optional(
          object({
            Type: oneOf('json-file', 'local', 'none'),
            Config: optional(record(/^max-(size|file)$/, text(/^\d{1,6}[kmg]?$/))),
          })
        ),
        Tmpfs: optional(record(/^\/(tmp|run)$/, text(TMPFS_OPTIONS))),
        Mounts: optional(MOUNTS),
      }),
    }
  }

  #limits(presence: (check: Check) => Check): Record<string, Check> {
    const { memoryMb, cpus, processes } = this.#parts.config.ceilings
    return {
      Memory: presence(between(16 * MEBIBYTE, memoryMb * MEBIBYTE)),
      MemorySwap: presence(between(16 * MEBIBYTE, memoryMb * MEBIBYTE)),
      NanoCpus: presence(between(1e7, cpus * 1e9)),
      PidsLimit: presence(between(1, processes)),
      CpuShares: optional(between(2, 1024)),
    }
  }

  async #checkNetwork({ HostConfig, NetworkingConfig, Labels }: Checked): Promise<void> {
    const { NetworkMode } = HostConfig
    const named = Object.keys(NetworkingConfig?.EndpointsConfig ?? {})
    if (named.some((name) => name !== NetworkMode)) {
      throw new Refusal('NetworkingConfig may name the network of NetworkMode only')
    }
    if (NetworkMode === 'none') return
    if (['host', 'default', 'bridge', 'nat', 'ingress'].includes(NetworkMode)) {
      throw new Refusal(`HostConfig.NetworkMode may not be ${NetworkMode}`)
    }
    const network = await this.#parts.belongings.ourNetwork(NetworkMode)
    if (!network) throw new Refusal(`There is no network ${NetworkMode}`)
    const owner = network.Labels?.[NAME_LABEL]
    if (
      Labels[PURPOSE_LABEL] === undefined &&
      owner !== undefined &&
      owner !== Labels[NAME_LABEL]
    ) {
      throw new Refusal(`The network ${NetworkMode} belongs to another agent`)
    }
  }

  async #checkMounts({ HostConfig, Labels }: Checked, isFiller: boolean): Promise<void> {
    const mounts = HostConfig.Mounts ?? []
    const targets = mounts.map(({ Target }) => Target)
    if (new Set(targets).size < targets.length) throw new Refusal('Two mounts have one target')
    for (const mount of mounts) {
      if ((mount.Target === FILLED_FOLDER) !== isFiller) {
        throw new Refusal(`Nothing may be mounted at ${mount.Target} here`)
      }
      if (mount.Target === HANDED_FOLDER && mount.ReadOnly !== true) {
        throw new Refusal(`${HANDED_FOLDER} must be mounted read-only`)
      }
      if (mount.Type === 'bind') this.#checkBind(mount, Labels)
      else await this.#checkVolume(mount, Labels, isFiller)
    }
  }

  /** Checks the only folder of the engine's machine that an agent gets: its launcher and its token. */
  #checkBind({ Source, Target }: Mount, labels: Record<string, string>): void {
    const base = this.#parts.config.secretsFolder
    const below = base && Source.startsWith(`${base}/`) ? Source.slice(base.length + 1) : null
    const [folder, name, ...more] = below?.split('/') ?? []
    const isOwn =
      /^[0-9a-f]{8}$/.test(folder ?? '') && name === labels[NAME_LABEL] && more.length === 0
    if (Target !== HANDED_FOLDER || !isOwn) throw new Refusal(`${Source} may not be bound`)
  }

  /** Requires an existing volume: the engine would create a missing one without labels. */
  async #checkVolume(
    { Source }: Mount,
    labels: Record<string, string>,
    isFiller: boolean
  ): Promise<void> {
    if (!NAME.test(Source)) throw new Refusal('This is no name of a volume', 400)
    const volume = await this.#parts.belongings.ourVolume(Source)
    if (!volume) throw new Refusal(`There is no volume ${Source}`)
    if (!isFiller && volume.Labels?.[NAME_LABEL] !== labels[NAME_LABEL]) {
      throw new Refusal(`The volume ${Source} belongs to another agent`)
    }
  }
}

function common(): Record<string, Check> {
  return {
    Image: text(/^[^\0]{1,512}$/),
    Entrypoint: optional(WORDS),
    Cmd: optional(WORDS),
    Labels: LABELS,
    NetworkDisabled: optional(flag),
  }
}

/** A container for copying files into a volume. The proxy refuses to start it. */
function fillerShape(): Record<string, Check> {
  return {
    ...common(),
    HostConfig: object({
      NetworkMode: oneOf('none'),
      CapDrop: list(oneOf('ALL'), { min: 1, max: 1 }),
      Mounts: MOUNTS,
    }),
  }
}

/** Equal values mean no swap on top of the memory. */
function checkSwap({ Memory: memory, MemorySwap: swap }: Memory): void {
  if (memory !== swap) throw new Refusal('HostConfig.MemorySwap must be the same as Memory')
}

/** An agent's labels name the agent and the container; fillers and probes are not agents. */
function checkLabels(labels: Record<string, string>, name: string | null): void {
  const purpose = labels[PURPOSE_LABEL]
  if (purpose === undefined) {
    if (!/^(user|system)\/[A-Za-z0-9_-]{1,64}$/.test(labels['mosaic.agent'] ?? '')) {
      throw new Refusal('The label mosaic.agent is missing or names no agent')
    }
    if (name === null || labels[NAME_LABEL] !== name) {
      throw new Refusal(`The label ${NAME_LABEL} must be the name of the container`)
    }
  } else if (!['filler', 'probe'].includes(purpose)) {
    throw new Refusal(`The label ${PURPOSE_LABEL} names nothing that Mosaic makes`)
  }
}

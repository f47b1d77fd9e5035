import { isDeepStrictEqual } from 'node:util'
import { NAME, type ContainerRuleParts } from '#socket_proxy/container_rules'
import { INSTALLATION_LABEL } from '#socket_proxy/installation'
import { Refusal } from '#socket_proxy/refusal'
import { RootRules, shortHash } from '#socket_proxy/root_rules'
import { serviceShape, SWARM_LABELS, PURPOSES, type Purpose } from '#socket_proxy/service_shapes'
import { flag, isObject, object, oneOf, optional, text, type Check } from '#socket_proxy/shape'

const NAME_LABEL = 'mosaic.name'
const PURPOSE_LABEL = 'mosaic.purpose'

/** A digest or an ID: a name could lead to another image at each node. */
const PINNED = /^sha256:[0-9a-f]{64}$|@sha256:[0-9a-f]{64}$/

/** The volumes of agents: `mosaic-user-<id>-data`, `mosaic-system-<name>-data`. */
const AGENT_VOLUME = /^mosaic-(?:user|system)-[\w.-]{1,100}-data$/

interface Mount {
  Type: string
  Source: string
  Target: string
  ReadOnly?: boolean
  VolumeOptions?: {
    Labels: Record<string, string>
    DriverConfig?: { Name: string; Options?: Record<string, string> }
  }
}

interface Checked {
  Name: string
  Labels: Record<string, string>
  TaskTemplate: {
    ContainerSpec: {
      Image: string
      Command: string[]
      Env?: string[]
      Mounts?: Mount[]
      Secrets?: { SecretID: string }[]
      Configs?: { ConfigID: string; File?: { Name: string } }[]
    }
    Networks: { Target: string }[]
  }
}

/** A secret or a config, as the engine tells it. A secret's data is not told. */
export interface Stored {
  ID: string
  Spec: { Name?: string; Labels?: Record<string, string> | null; Data?: string }
}

/** Rules for services, secrets, configs and networks of a swarm. */
export class ServiceRules {
  readonly #parts: ContainerRuleParts
  readonly #roots: RootRules
  readonly #shapes: Record<Purpose, Check>

  constructor(parts: ContainerRuleParts) {
    this.#parts = parts
    this.#roots = new RootRules(parts)
    const shapes = PURPOSES.map((purpose) => [
      purpose,
      serviceShape(purpose, parts.config.ceilings),
    ])
    this.#shapes = Object.fromEntries(shapes) as Record<Purpose, Check>
  }

  /** Rebuilds the spec of a service, to be created or changed. @throws Refusal */
  async spec(body: unknown): Promise<unknown> {
    const labels = isObject(body) && isObject(body.Labels) ? body.Labels : {}
    this.#parts.installation.take(labels[INSTALLATION_LABEL])
    const purpose = purposeOf(labels)
    const checked = this.#shapes[purpose](body, '') as Checked
    if (checked.Labels[NAME_LABEL] !== checked.Name) {
      throw new Refusal(`The label ${NAME_LABEL} must be the name of the service`)
    }
    const { ContainerSpec: container, Networks: networks } = checked.TaskTemplate
    if (!PINNED.test(container.Image)) {
      throw new Refusal('The image must be named by its digest or its id')
    }
    const image = await this.#parts.images.find(container.Image)
    // By its id alone, another node's image could not be judged.
    if (!image && !container.Image.includes('@')) throw new Refusal('The manager lacks this image')
    networks[0].Target = await this.#network(networks[0].Target, purpose)
    for (const mount of container.Mounts ?? []) this.#checkMount(mount, checked, purpose)
    for (const { SecretID } of container.Secrets ?? []) await this.#stored('secrets', SecretID)
    for (const { ConfigID } of container.Configs ?? []) await this.#stored('configs', ConfigID)
    const scriptOf = async (id: string) => (await this.#stored('configs', id)).Spec.Data
    await this.#roots.check(purpose, container, scriptOf)
    return checked
  }

  /** Rebuilds a secret or a config. @throws Refusal */
  stored(body: unknown): unknown {
    const labels = isObject(body) && isObject(body.Labels) ? body.Labels : {}
    this.#parts.installation.take(labels[INSTALLATION_LABEL])
    return object({
      Name: text(NAME),
      Labels: SWARM_LABELS,
      Data: text(/^[A-Za-z0-9+/=_-]{0,700000}$/),
    })(body, '')
  }

  /** Rebuilds the agents' network: a bridge of each node. @throws Refusal */
  network(body: unknown): unknown {
    const labels = isObject(body) && isObject(body.Labels) ? body.Labels : {}
    this.#parts.installation.take(labels[INSTALLATION_LABEL])
    return object({
      Name: text(NAME),
      CheckDuplicate: optional(flag),
      Driver: oneOf('bridge'),
      Scope: oneOf('swarm'),
      Labels: SWARM_LABELS,
    })(body, '')
  }

  /** Rebuilds a node's spec: labels of this installation alone may change, not its role. @throws Refusal */
  node(body: unknown, found: Record<string, unknown>): unknown {
    if (!isObject(body) || !isObject(body.Labels)) throw new Refusal('There are no labels', 400)
    const given = body.Labels as Record<string, unknown>
    const kept = isObject(found.Labels) ? found.Labels : {}
    const isOurs = ([key]: [string, unknown]) => key.startsWith(`mosaic.${this.#hash}.`)
    const others = Object.entries(kept).filter((label) => !isOurs(label))
    const ours = Object.entries(given).filter(isOurs)
    const checked = SWARM_LABELS(Object.fromEntries(ours), 'Labels') as object
    return { ...found, Labels: { ...Object.fromEntries(others), ...checked } }
  }

  /** @returns the id of a secret or a config of ours; null if there is none. @throws Refusal */
  async ours(kind: 'secrets' | 'configs', name: string): Promise<Stored | null> {
    const found = await this.#parts.engine.look<Stored>(`/${kind}/${name}`)
    if (found && !this.#parts.installation.owns(found.Spec.Labels)) {
      throw new Refusal(`${name} in ${kind} was not made by this installation`)
    }
    return found
  }

  /** Without an installation nothing is ours, so this names nothing. */
  get #hash(): string {
    const { id } = this.#parts.installation
    if (id === null) throw new Refusal('No installation is served yet')
    return shortHash(id)
  }

  async #stored(kind: 'secrets' | 'configs', id: string): Promise<Stored> {
    const found = await this.ours(kind, id)
    if (!found) throw new Refusal(`There is no ${id} in ${kind}`)
    return found
  }

  async #network(name: string, purpose: Purpose): Promise<string> {
    if (purpose === 'guard' && name === 'host') return name
    const found = await this.#parts.belongings.ourNetwork(name)
    if (!found) throw new Refusal(`There is no network ${name}`)
    if (purpose === 'guard') throw new Refusal('A guard has the network of its node')
    return found.Id
  }

  #checkMount(
    { Type, Source, Target, ReadOnly, VolumeOptions }: Mount,
    service: Checked,
    purpose: Purpose
  ): void {
    if (Type === 'tmpfs') return
    const shared = this.#parts.config.swarm?.sharedFolder ?? null
    if (Type === 'volume') {
      const { Labels, DriverConfig } = VolumeOptions!
      const owner = Labels[NAME_LABEL]
      this.#parts.installation.take(Labels[INSTALLATION_LABEL])
      if (DriverConfig && !isDeepStrictEqual(DriverConfig, this.#parts.config.swarm?.volumes)) {
        throw new Refusal('Volumes may only be of the driver in SOCKET_PROXY_VOLUME_DRIVER')
      }
      const isOwn = purpose === 'steward' || owner === service.Name
      // Nobody knows the volumes of other nodes: others' may have any name but an agent's.
      const isAgents = AGENT_VOLUME.test(Source) && Source === `${owner}-data`
      if (isAgents && isOwn && purpose !== 'guard') return
    } else if (purpose === 'guard') {
      if (Source === '/usr' && Target === '/node/usr' && ReadOnly === true) return
    } else if (shared !== null && Target !== '/node/usr') {
      if (purpose === 'steward' && Source === shared) return
      const [folder, name, ...more] = Source.startsWith(`${shared}/`)
        ? Source.slice(shared.length + 1).split('/')
        : []
      const isOwn = folder === `mosaic-${this.#hash}` && name === service.Name
      if (purpose === 'agent' && isOwn && more.length === 0) return
    }
    throw new Refusal(`${Source} may not be mounted at ${Target}`)
  }
}

function purposeOf(labels: Record<string, unknown>): Purpose {
  const purpose = labels[PURPOSE_LABEL]
  if (purpose === undefined) {
    if (/^(user|system)\/[A-Za-z0-9_-]{1,64}$/.test(String(labels['mosaic.agent']))) return 'agent'
    throw new Refusal('The label mosaic.agent is missing or names no agent')
  }
  const named = PURPOSES.find((one) => one === purpose && one !== 'agent')
  if (named) return named
  throw new Refusal(`The label ${PURPOSE_LABEL} names nothing that Mosaic makes`)
}

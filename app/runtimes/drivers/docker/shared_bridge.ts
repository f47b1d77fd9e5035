import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { E_RUNTIME_NAME_TAKEN, RuntimeError } from '#runtimes/errors'
import { Firewall } from '#runtimes/drivers/docker/firewall'
import { isOf, LABEL } from '#runtimes/engine/labels'
import { isNameConflict, type Engine } from '#runtimes/engine/engine'
import { shortHash } from '#runtimes/engine/short_hash'
import type { DockerSettings } from '#runtimes/drivers/docker/options'
import type { AgentNetwork, Topology } from '#runtimes/drivers/docker/topology'

/** Other managers of the packet filter may remove the rules, so the driver checks them repeatedly. */
const RECHECK_MS = 30_000

interface Prepared {
  network: AgentNetwork
  bridge: string
  gateway: string
  subnet: string | null
}

/**
 * For a Mosaic on the engine's machine: one bridge for all agents, with a guard between them and the
 * machine. Agents on the bridge cannot reach each other.
 */
export class SharedBridge implements Topology {
  readonly kind = 'shared bridge'
  guardFailure: Error | null = null

  readonly #engine: Engine
  readonly #installation: string
  readonly #settings: DockerSettings
  readonly #port: number
  readonly #managesFirewall: boolean
  #prepared: Promise<Prepared> | null = null
  #preparedAt = 0
  /** The network's last known range and address. */
  #former: Prepared | null = null

  constructor(
    engine: Engine,
    installation: string,
    settings: DockerSettings,
    { port, managesFirewall }: { port: number; managesFirewall: boolean }
  ) {
    this.#engine = engine
    this.#installation = installation
    this.#settings = settings
    this.#port = port
    this.#managesFirewall = managesFirewall
  }

  get egress(): 'open' | 'sealed' {
    return this.#settings.egress
  }

  async prepare(): Promise<void> {
    await this.#ready()
  }

  forget(): void {
    this.#prepared = null
  }

  async networkOf(): Promise<AgentNetwork> {
    return (await this.#ready()).network
  }

  async reach(): Promise<void> {
    // Mosaic has an address on the bridge.
  }

  networkName(): string {
    return `mosaic-${shortHash(this.#installation)}-${this.#settings.egress}`
  }

  async release(): Promise<void> {
    // All agents share the bridge.
  }

  async callback(): Promise<{ host: string; listen: string }> {
    const { gateway } = await this.#ready()
    return { host: gateway, listen: gateway }
  }

  async hostAddresses(): Promise<string[]> {
    const { gateway } = await this.#ready()
    const own = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map(({ address }) => address)
    return [...new Set([gateway, ...own])]
  }

  async guardHelp(): Promise<string> {
    const prepared = await this.#ready()
    const why = this.guardFailure ? ` (${this.guardFailure.message})` : ''
    return (
      `Mosaic could not close the way itself${why}. Run this as root on the machine, and at each ` +
      `boot: ${this.#guard(prepared).commands()}`
    )
  }

  #ready(): Promise<Prepared> {
    if (this.#prepared && performance.now() - this.#preparedAt < RECHECK_MS) return this.#prepared
    this.#preparedAt = performance.now()
    const prepared = this.#make()
    this.#prepared = prepared
    prepared.catch(() => {
      if (this.#prepared === prepared) this.#prepared = null
    })
    return prepared
  }

  async #make(): Promise<Prepared> {
    const prepared = (await this.#find()) ?? (await this.#create())
    this.#former = prepared
    this.guardFailure = this.#managesFirewall
      ? await this.#guard(prepared).failure()
      : new Error('its configuration leaves the packet filter to you')
    return prepared
  }

  #guard({ bridge, gateway }: Prepared): Firewall {
    return new Firewall({ bridge, address: gateway, port: this.#port })
  }

  async #find(): Promise<Prepared | null> {
    const name = this.networkName()
    const found = await this.#engine.find((docker) => docker.getNetwork(name).inspect())
    if (!found) return null
    if (!isOf(this.#installation, found.Labels)) throw new E_RUNTIME_NAME_TAKEN(name)

    const [config] = found.IPAM?.Config ?? []
    const gateway = config?.Gateway ?? firstAddress(config?.Subnet)
    // Podman does not report the bridge: assume the requested one.
    const bridge = found.Options?.['com.docker.network.bridge.name'] ?? this.#bridgeName()
    if (!gateway) {
      throw new RuntimeError('internal', `The network ${name} has no address of its own.`, {
        help: `Stop the agents and remove it with "docker network rm ${name}": Mosaic creates it again.`,
      })
    }
    return { network: { id: found.Id, name }, bridge, gateway, subnet: config?.Subnet ?? null }
  }

  #bridgeName(): string {
    const suffix = this.#settings.egress === 'open' ? 'o' : 's'
    return `mos-${shortHash(this.#installation)}${suffix}`
  }

  /** Recreates a removed network at its former address, by which agents know Mosaic. */
  async #create(): Promise<Prepared> {
    const { subnet, gateway } = this.#former ?? {}
    const place = subnet && gateway ? { Subnet: subnet, Gateway: gateway } : null
    if (!place) return this.#createAt(null)
    return this.#createAt(place).catch(() => this.#createAt(null))
  }

  async #createAt(place: { Subnet: string; Gateway: string } | null): Promise<Prepared> {
    const { egress } = this.#settings
    try {
      await this.#engine.call((docker, options) =>
        docker.createNetwork({
          Name: this.networkName(),
          CheckDuplicate: true,
          Driver: 'bridge',
          EnableIPv6: false,
          Internal: egress === 'sealed',
          ...(place && { IPAM: { Config: [place] } }),
          Labels: { [LABEL.installation]: this.#installation },
          Options: {
            'com.docker.network.bridge.enable_icc': 'false',
            'com.docker.network.bridge.name': this.#bridgeName(),
          },
          ...options,
        })
      )
    } catch (error) {
      // Another process of Mosaic created it first.
      if (!isNameConflict(error)) throw error
    }
    const made = await this.#find()
    if (!made) throw new RuntimeError('internal', 'The network of the agents disappeared.')
    return made
  }
}

/** Docker's default: a bridge gets the first address of its range. */
function firstAddress(subnet: string | undefined): string | null {
  const [base] = subnet?.split('/') ?? []
  if (!base || !isIPv4(base)) return base ?? null
  const last = base.lastIndexOf('.') + 1
  return `${base.slice(0, last)}${Number(base.slice(last)) + 1}`
}

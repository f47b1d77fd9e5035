import type Docker from 'dockerode'
import { RuntimeError } from '#runtimes/errors'
import { noteAgentNetwork } from '#runtimes/agent_networks'
import { publicOnlyCommands } from '#runtimes/private_networks'
import { Subnets } from '#runtimes/drivers/docker/subnets'
import { isOf, LABEL } from '#runtimes/engine/labels'
import { isNameConflict, statusOf, type Engine } from '#runtimes/engine/engine'
import { shortHash } from '#runtimes/engine/short_hash'
import type { DockerSettings } from '#runtimes/drivers/docker/options'
import type { Found } from '#runtimes/drivers/docker/containers'
import type { AgentNetwork, Topology } from '#runtimes/drivers/docker/topology'

/** Agents find Mosaic by this name in their own network, whatever its address. */
const ALIAS = 'mosaic-internal'

/** The bridges of all agents' networks, as iptables names them. */
const BRIDGES = 'mosa-+'

/** Age at which a network without an agent was left behind: far longer than a start or a proof may take. */
const LEFT_MS = 10 * 60_000

/** Networks that a new Mosaic joins or leaves at the same time. */
const JOINS_AT_ONCE = 8

/** Attempts when another network on the engine has taken the range meanwhile. */
const MOST_TRIES = 32

interface Joinable {
  id: string
  subnets: string[]
}

/**
 * For a Mosaic in a container of the same engine: each agent has its own small network, which Mosaic
 * joins. A shared bridge that isolates its peers would isolate Mosaic as well.
 */
export class NetworkPerAgent implements Topology {
  readonly kind = 'network per agent'
  readonly guardFailure = null

  readonly #engine: Engine
  readonly #installation: string
  readonly #settings: DockerSettings
  readonly #self: string
  readonly #subnets: Subnets
  /** Ids of networks that Mosaic is in. */
  readonly #joined = new Set<string>()

  /** @param self the container that Mosaic runs in */
  constructor(engine: Engine, installation: string, settings: DockerSettings, self: string) {
    this.#engine = engine
    this.#installation = installation
    this.#settings = settings
    this.#self = self
    this.#subnets = new Subnets(settings.range)
  }

  get egress(): 'open' | 'sealed' {
    return this.#settings.egress
  }

  async prepare(): Promise<void> {
    // Agents share nothing.
  }

  forget(): void {
    // Nothing is cached.
  }

  async networkOf(name: string): Promise<AgentNetwork> {
    const wanted = this.networkName(name)
    for (const other of networksOf(name)) if (other !== wanted) await this.#leave(other)
    const network = (await this.#find(name)) ?? (await this.#create(name))
    if (await this.#join(network)) return network
    // Another Mosaic has just left and removed it.
    const next = await this.#create(name)
    await this.#join(next)
    return next
  }

  async reach({ Name, NetworkSettings }: Found): Promise<void> {
    for (const network of networksOf(Name)) {
      const { NetworkID: id, IPAddress, IPPrefixLen } = NetworkSettings.Networks[network] ?? {}
      if (id && !this.#joined.has(id)) {
        const subnets = IPAddress ? [`${IPAddress}/${IPPrefixLen}`] : []
        await this.#join({ id, subnets })
      }
    }
  }

  networkName(name: string): string {
    return `${name}-${this.#settings.egress}`
  }

  async release(name: string): Promise<void> {
    for (const network of networksOf(name)) await this.#leave(network)
  }

  /**
   * Joins the agents' networks: a new Mosaic container, for example after an update, is in none of them. Leaves and
   * removes networks that a killed Mosaic left behind. A failure for one agent surfaces at its next inspection.
   */
  async joinAll(): Promise<void> {
    const label = [`${LABEL.installation}=${this.#installation}`]
    const networks = await this.#engine.call((docker, options) =>
      docker.listNetworks({ filters: { label: [...label, LABEL.name] }, ...options })
    )
    const containers = await this.#engine.call((docker, options) =>
      docker.listContainers({ all: true, filters: { label }, ...options })
    )
    const present = new Set(containers.flatMap(({ Names }) => Names.flatMap(networksOf)))
    for (let at = 0; at < networks.length; at += JOINS_AT_ONCE) {
      const some = networks
        .slice(at, at + JOINS_AT_ONCE)
        .map(async ({ Id, Name, IPAM, Created }) => {
          if (present.has(Name)) await this.#join({ id: Id, subnets: subnetsOf(IPAM) })
          // A younger one may be of an agent that is being started.
          else if (Date.parse(Created) < Date.now() - LEFT_MS) await this.#leave(Name)
        })
      await Promise.allSettled(some)
    }
  }

  async callback(): Promise<{ host: string; listen: null }> {
    return { host: ALIAS, listen: null }
  }

  async hostAddresses(): Promise<string[]> {
    return []
  }

  async guardHelp(): Promise<string> {
    const commands = [
      `iptables -I INPUT -i ${BRIDGES} -m conntrack --ctstate NEW -j DROP`,
      // With bridges filtered, what agents and Mosaic send each other on one of them is forwarded as well.
      ...publicOnlyCommands(`-i ${BRIDGES} ! -o ${BRIDGES}`),
    ]
    return (
      'Run this as root on the machine of the engine, and at each boot: ' +
      `${commands.join(' && ')}. Or seal the egress of agents in the settings: then they have no ` +
      'way to the machine at all.'
    )
  }

  async #find(name: string): Promise<(AgentNetwork & Joinable) | null> {
    const wanted = this.networkName(name)
    const found = await this.#engine.find((docker) => docker.getNetwork(wanted).inspect())
    if (!found) return null
    if (!isOf(this.#installation, found.Labels)) {
      throw new RuntimeError('internal', `The network ${wanted} was not made by Mosaic.`, {
        help: 'Remove or rename it by hand, then try again.',
      })
    }
    return { id: found.Id, name: wanted, subnets: subnetsOf(found.IPAM) }
  }

  async #create(name: string): Promise<AgentNetwork & Joinable> {
    const wanted = this.networkName(name)
    for (const subnet of this.#subnets.candidates(wanted, await this.#taken(), MOST_TRIES)) {
      try {
        const network = await this.#engine.call((docker, options) =>
          docker.createNetwork({ ...this.#options(name, wanted, subnet), ...options })
        )
        return { id: network.id, name: wanted, subnets: [subnet.range] }
      } catch (error) {
        if (isNameConflict(error)) {
          const made = await this.#find(name)
          if (made) return made
        }
        const overlaps = statusOf(error) === 403 || /overlap/i.test((error as Error).message)
        if (!overlaps) throw error
      }
    }
    throw new RuntimeError('no_capacity', `No network is left in ${this.#settings.range}.`, {
      help: 'Give the agents a larger range in the settings, which nothing else uses.',
    })
  }

  #options(name: string, wanted: string, subnet: { range: string; gateway: string }) {
    const sealed = this.#settings.egress === 'sealed'
    return {
      Name: wanted,
      CheckDuplicate: true,
      Driver: 'bridge',
      EnableIPv6: false,
      Internal: sealed,
      IPAM: { Config: [{ Subnet: subnet.range, Gateway: subnet.gateway }] },
      Labels: { [LABEL.installation]: this.#installation, [LABEL.name]: name },
      Options: {
        'com.docker.network.bridge.name': `mosa-${shortHash(wanted)}`,
        // Without a machine address on this network, agents cannot reach the machine.
        ...(sealed ? { 'com.docker.network.bridge.inhibit_ipv4': 'true' } : {}),
      },
    }
  }

  async #taken(): Promise<string[]> {
    const networks = await this.#engine.call((docker, options) => docker.listNetworks(options))
    return networks.flatMap(({ IPAM }) => subnetsOf(IPAM))
  }

  /** Returns false if the network is gone. */
  async #join({ id, subnets }: Joinable): Promise<boolean> {
    // Before Mosaic has an address in it.
    for (const subnet of subnets) noteAgentNetwork(subnet)
    const EndpointConfig = { Aliases: [ALIAS] }
    try {
      await this.#engine.call((docker, options) =>
        docker.getNetwork(id).connect({ Container: this.#self, EndpointConfig, ...options })
      )
    } catch (error) {
      if (statusOf(error) === 404) return false
      // It is connected already.
      if (statusOf(error) !== 403 && !isNameConflict(error)) throw error
    }
    this.#joined.add(id)
    return true
  }

  async #leave(network: string): Promise<void> {
    const found = await this.#engine.find((docker) => docker.getNetwork(network).inspect())
    if (!found || !isOf(this.#installation, found.Labels)) return
    this.#joined.delete(found.Id)
    if (found.Containers?.[this.#self]) {
      await this.#engine.settle((docker, options) =>
        docker.getNetwork(found.Id).disconnect({ Container: this.#self, Force: true, ...options })
      )
    }
    await this.#engine
      .settle((docker, options) => docker.getNetwork(found.Id).remove(options))
      .catch((error: Error) => {
        // Another Mosaic is in it, which removes it when it leaves.
        if (!/active endpoints|in use|being used/i.test(error.message)) throw error
      })
  }
}

/** Ranges (CIDR) of a network. */
function subnetsOf(ipam: Docker.IPAM | undefined): string[] {
  return (ipam?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? [])
}

/** An agent has had either, as the egress was set; a container's name may begin with a slash. */
function networksOf(name: string): string[] {
  return ['open', 'sealed'].map((egress) => `${name.replace(/^\//, '')}-${egress}`)
}

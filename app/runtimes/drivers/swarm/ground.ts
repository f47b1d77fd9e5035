import { lookup } from 'node:dns/promises'
import { networkInterfaces } from 'node:os'
import { RuntimeError } from '#runtimes/errors'
import type { RuntimeCallback, RuntimeFinding } from '#runtimes/contract'
import type { AgentNetwork } from '#runtimes/drivers/swarm/agent_network'
import type { Cluster } from '#runtimes/drivers/swarm/cluster'
import { NO_NODE, unguardedFinding } from '#runtimes/drivers/swarm/findings'
import type { Isolation } from '#runtimes/drivers/swarm/isolation'
import type { Leftovers } from '#runtimes/drivers/swarm/leftovers'
import type { SwarmDriverConfig, SwarmSettings } from '#runtimes/drivers/swarm/options'

/** Age at which nodes and their guards are looked at again: one may have joined. */
const FRESH_MS = 30_000
/** A failed look is not repeated for each agent that wakes. */
const RETRY_MS = 5000

interface State {
  network: string
  findings: RuntimeFinding[]
  /** Ids of nodes that lack their guard or their proof now. */
  closed: ReadonlySet<string>
  isUsable: boolean
}

interface Look {
  image: string
  state: Promise<State>
  /** When to look again. */
  dueAt: number
}

/** What must be there before agents start: their network, guarded nodes, and the proof that these isolate. */
export class Ground {
  readonly #cluster: Cluster
  readonly #network: AgentNetwork
  readonly #isolation: Isolation
  readonly #leftovers: Leftovers
  readonly #settings: SwarmSettings
  readonly #config: Pick<SwarmDriverConfig, 'internalPort' | 'internalUrl'>
  #looked: Look | null = null

  constructor(
    parts: {
      cluster: Cluster
      network: AgentNetwork
      isolation: Isolation
      leftovers: Leftovers
    },
    settings: SwarmSettings,
    config: Pick<SwarmDriverConfig, 'internalPort' | 'internalUrl'>
  ) {
    this.#cluster = parts.cluster
    this.#network = parts.network
    this.#isolation = parts.isolation
    this.#leftovers = parts.leftovers
    this.#settings = settings
    this.#config = config
  }

  /** Where agents reach Mosaic's internal listener. A name is resolved, because packet filters know none. */
  async mosaic(): Promise<{ address: string; port: number }> {
    const { internalUrl, internalPort } = this.#config
    if (!internalUrl) return { address: await this.#cluster.managerAddress(), port: internalPort }
    const { hostname, port } = new URL(internalUrl)
    const { address } = await lookup(hostname, { family: 4 }).catch((cause: Error) => {
      throw new RuntimeError('internal', `The name ${hostname} of INTERNAL_URL leads nowhere.`, {
        cause,
        help: 'Use an IPv4 address, or a name that this machine resolves to one.',
      })
    })
    return { address, port: Number(port || 80) }
  }

  async callback(): Promise<RuntimeCallback> {
    const { address, port } = await this.mosaic()
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
    const listen = own.some((one) => one.address === address) ? address : null
    return { host: address, listen, ...(port !== this.#config.internalPort && { port }) }
  }

  /**
   * Returns the agents' network, a constraint for nodes whose isolation was ever proven, and the ids of such nodes that
   * lack isolation now. Exclude these by id: without their label, the swarm would end their running agents at once.
   *
   * @throws RuntimeError if no node may run agents
   */
  async require(
    image: string
  ): Promise<Pick<State, 'network' | 'closed'> & { constraint: string }> {
    const { network, findings, closed, isUsable } = await this.#state(image)
    if (isUsable) return { network, closed, constraint: this.#isolation.constraint }
    const { message, hint } = findings.find(({ severity }) => severity === 'error') ?? NO_NODE
    throw new RuntimeError('not_isolated', message, { help: hint })
  }

  /** Returns what is wrong with nodes, looked at now. */
  async examine(image: string): Promise<RuntimeFinding[]> {
    const { findings } = await this.#look(image)
    return findings
  }

  /** A look that is due is made for the next caller, beside this one. */
  #state(image: string): Promise<State> {
    const former = this.#looked
    if (former?.image !== image) return this.#look(image)
    if (performance.now() > former.dueAt) {
      former.dueAt = Infinity
      // If it fails, the former state stands and is looked at again.
      const retry = () => void (former.dueAt = performance.now() + RETRY_MS)
      this.#look(image).then(retry, retry)
    }
    return former.state
  }

  #look(image: string): Promise<State> {
    const looked: Look = { image, state: this.#prepare(image), dueAt: Infinity }
    const forget = () => {
      if (this.#looked === looked) this.#looked = null
    }
    if (this.#looked?.image !== image) this.#looked = looked
    looked.state.then(({ isUsable, closed }) => {
      this.#looked = looked
      looked.dueAt = performance.now() + (closed.size > 0 ? RETRY_MS : FRESH_MS)
      if (!isUsable) setTimeout(forget, RETRY_MS).unref()
    }, forget)
    return looked.state
  }

  async #prepare(image: string): Promise<State> {
    // What is left over now goes with a later look.
    await this.#leftovers.remove().catch(() => {})
    const mosaic = await this.mosaic()
    const { egress, sources } = this.#settings
    const network = await this.#network.prepare({ mosaic, egress, sources, image })
    const { findings, proven } = await this.#isolation.prove(network, mosaic, image)
    for (const [node, why] of network.unguarded) findings.push(unguardedFinding(node, why))
    if (proven.length === 0) findings.push(NO_NODE)
    const open = new Set(proven.map(({ id }) => id))
    const closed = (await this.#cluster.nodes())
      .filter((node) => this.#isolation.isProven(node) && !open.has(node.id))
      .map(({ id }) => id)
    const isUsable = proven.length > 0
    return { network: network.id, findings, closed: new Set(closed), isUsable }
  }
}

import type { RuntimeNode, RuntimeNodes } from '#runtimes/contract'
import { LABEL } from '#runtimes/engine/labels'
import type { AgentNetwork } from '#runtimes/drivers/swarm/agent_network'
import type { Cluster, ClusterNode } from '#runtimes/drivers/swarm/cluster'
import type { DrainedNodes } from '#runtimes/drivers/swarm/drained_nodes'
import type { Homes } from '#runtimes/drivers/swarm/homes'
import type { Isolation } from '#runtimes/drivers/swarm/isolation'
import { latestOf, type Task } from '#runtimes/drivers/swarm/objects'
import type { Services } from '#runtimes/drivers/swarm/services'

interface CapacityParts {
  cluster: Cluster
  services: Services
  network: AgentNetwork
  isolation: Isolation
  drained: DrainedNodes
  homes: Homes
}

/** The nodes of the swarm as the contract names them. */
export class Capacity implements RuntimeNodes {
  readonly #parts: CapacityParts

  constructor(parts: CapacityParts) {
    this.#parts = parts
  }

  async list(): Promise<RuntimeNode[]> {
    const { cluster, services, network, isolation } = this.#parts
    const [nodes, tasks, found, used] = await Promise.all([
      cluster.nodes(),
      services.tasks(null),
      services.agents(),
      network.memoryUsed().catch(() => new Map<string, number>()),
    ])
    const agents = new Map(
      found.map(({ Spec: { Labels } }) => [Labels[LABEL.name], Labels[LABEL.agent]])
    )
    /** The first start of an agent proves the nodes; until then any node may get one. */
    const isUntried = !nodes.some((node) => isolation.isProven(node))
    return nodes.map((node) => ({
      id: node.id,
      name: node.name,
      state: this.#stateOf(node, isUntried || isolation.isProven(node)),
      processors: node.processors,
      ...loadOf(node, { tasks, agents, used: used.get(node.id) ?? null }),
    }))
  }

  async drain(node: string): Promise<void> {
    await this.#parts.drained.set(node, true)
  }

  async reopen(node: string): Promise<void> {
    await this.#parts.drained.set(node, false)
  }

  async pinned(node: string): Promise<string[]> {
    return this.#parts.homes.on(node)
  }

  #stateOf(node: ClusterNode, isProven: boolean): RuntimeNode['state'] {
    if (node.isLost) return 'lost'
    if (this.#parts.drained.has(node)) return 'drained'
    return node.isReady && isProven ? 'ready' : 'unavailable'
  }
}

interface Load {
  tasks: Task[]
  /** The agents by the names of their services. */
  agents: Map<string, string>
  /** Bytes in use on the node. */
  used: number | null
}

/** Returns what the agents of one node take. */
export function loadOf(
  node: Pick<ClusterNode, 'id' | 'memory'>,
  { tasks, agents, used }: Load
): Pick<RuntimeNode, 'memory' | 'instances'> {
  const instances: RuntimeNode['instances'] = []
  let promised = 0
  for (const [name, ofAgent] of Map.groupBy(tasks, nameOf)) {
    // The earlier task of an agent that left a lost node counts as running for a day.
    const { NodeID, Status, Spec } = latestOf(ofAgent)!
    const agent = agents.get(name)
    if (NodeID !== node.id || Status.State !== 'running' || !agent) continue
    instances.push({ name, agent })
    promised += Spec.Resources?.Reservations?.MemoryBytes ?? 0
  }
  return { memory: { total: node.memory, promised, used }, instances }
}

function nameOf({ Spec }: Task): string {
  return Spec.ContainerSpec.Labels?.[LABEL.name] ?? ''
}

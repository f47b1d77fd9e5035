import { E_RUNTIME_NODE_UNKNOWN, RuntimeError } from '#runtimes/errors'
import { shortHash } from '#runtimes/engine/short_hash'
import { excluded } from '#runtimes/drivers/swarm/options'
import type { Cluster, ClusterNode } from '#runtimes/drivers/swarm/cluster'

/**
 * The nodes that take no agents of this installation until they are reopened, by a label of each. A service excludes
 * them by their ids when it starts: a constraint on the label would have the swarm end running agents at once.
 */
export class DrainedNodes {
  readonly #cluster: Cluster
  readonly #label: string

  constructor(installation: string, cluster: Cluster) {
    this.#cluster = cluster
    this.#label = `mosaic.${shortHash(installation)}.drained`
  }

  has({ labels }: ClusterNode): boolean {
    return labels[this.#label] === 'yes'
  }

  /** Returns the constraints of a task that no drained node may get. */
  async constraints(): Promise<string[]> {
    const nodes = await this.#cluster.nodes()
    return excluded(nodes.filter((node) => this.has(node)).map(({ id }) => id))
  }

  /** @throws RuntimeError `no_capacity` if the node of the agent's data is drained */
  refuse(name: string, node: ClusterNode): void {
    if (!this.has(node)) return
    throw new RuntimeError(
      'no_capacity',
      `The data of ${name} is on the node ${node.name}, which is drained.`,
      {
        help: `Reopen the node: node ace fleet:drain-node ${node.name} --reopen`,
      }
    )
  }

  /** @throws E_RUNTIME_NODE_UNKNOWN */
  async set(id: string, isDrained: boolean): Promise<void> {
    const node = await this.#cluster.node(id)
    if (!node) throw new E_RUNTIME_NODE_UNKNOWN(id)
    if (this.has(node) === isDrained) return
    await this.#cluster.label(id, { [this.#label]: isDrained ? 'yes' : 'no' })
  }
}

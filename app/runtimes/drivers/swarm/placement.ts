import { RuntimeError } from '#runtimes/errors'
import type { InstanceSpec } from '#runtimes/contract'
import type { Cluster } from '#runtimes/drivers/swarm/cluster'
import type { DrainedNodes } from '#runtimes/drivers/swarm/drained_nodes'
import type { Ground } from '#runtimes/drivers/swarm/ground'
import type { Home } from '#runtimes/drivers/swarm/homes'
import { lostFailure } from '#runtimes/drivers/swarm/observation'
import { excluded, labelled, listed, type SwarmSettings } from '#runtimes/drivers/swarm/options'

interface PlacementParts {
  cluster: Cluster
  drained: DrainedNodes
  ground: Ground
  settings: SwarmSettings
}

/** Decides which nodes an agent may start on, and says why the node of its data takes none. */
export class AgentPlacement {
  readonly #parts: PlacementParts

  constructor(parts: PlacementParts) {
    this.#parts = parts
  }

  /**
   * Returns the constraints of an agent's service.
   *
   * @throws RuntimeError if the agent's data is on a node that takes no agents
   */
  async constraints(
    { name, placement }: Pick<InstanceSpec, 'name' | 'placement'>,
    home: Home,
    image: string
  ): Promise<string[]> {
    const { drained, ground, settings } = this.#parts
    const { closed, constraint } = await ground.require(image)
    if (home.node !== null) await this.#examine(name, home.node, closed)
    return [
      constraint,
      ...listed(settings.constraints),
      ...labelled(placement),
      ...(home.node === null
        ? [...excluded(closed), ...(await drained.constraints())]
        : [`node.id==${home.node}`]),
    ]
  }

  /** A swarm itself would only say that no node suits. @throws RuntimeError */
  async #examine(name: string, home: string, closed: ReadonlySet<string>): Promise<void> {
    const node = await this.#parts.cluster.node(home)
    if (!node) throw departed(name, home)
    if (node.isLost) {
      const { reason, message } = lostFailure(node)
      throw new RuntimeError(reason, message, {
        help: 'Its data is there: it starts again once "docker node ls" shows the node as ready.',
      })
    }
    this.#parts.drained.refuse(name, node)
    if (closed.has(home)) throw unproven(name, node.name)
  }
}

function departed(name: string, node: string): RuntimeError {
  const message = `The data of ${name} is on the node ${node}, which has left the swarm.`
  return new RuntimeError('engine_unreachable', message, {
    help: 'A machine that joins again is another node: docs/swarm.md says how its agents start again.',
  })
}

function unproven(name: string, node: string): RuntimeError {
  const message = `The data of ${name} is on the node ${node}, where agents are not isolated now.`
  return new RuntimeError('no_capacity', message, {
    help: 'The check of the runtime says what the node lacks. It is looked at again within a minute.',
  })
}

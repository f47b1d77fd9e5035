import type { RuntimeEvent } from '#runtimes/contract'
import type { KeyedQueue } from '#runtimes/keyed_queue'
import type { Containers } from '#runtimes/drivers/docker/containers'
import type { Topology } from '#runtimes/drivers/docker/topology'

/**
 * Keeps Mosaic in the networks of the agents that other processes of Mosaic start, and out of those of agents that
 * they removed: a network that somebody is in cannot be removed.
 */
export class NetworkMembership {
  readonly #containers: Containers
  readonly #topology: Topology
  readonly #queue: KeyedQueue

  /** @param queue of changes of one agent at a time */
  constructor(containers: Containers, topology: Topology, queue: KeyedQueue) {
    this.#containers = containers
    this.#topology = topology
    this.#queue = queue
  }

  /** Ignores failures: the agent's next inspection or removal tries again. */
  follow({ type, name }: RuntimeEvent): void {
    if (this.#topology.kind === 'shared bridge') return
    if (type === 'started') void this.#containers.findReached(name).catch(() => {})
    if (type === 'removed') void this.#queue.run(name, () => this.#leave(name)).catch(() => {})
  }

  async #leave(name: string): Promise<void> {
    if (!(await this.#containers.find(name))) await this.#topology.release(name)
  }
}

import { RuntimeError } from '#runtimes/errors'
import type { Cluster } from '#runtimes/drivers/swarm/cluster'
import {
  hasEnded,
  isPlaced,
  isWanted,
  type Service,
  type Task,
} from '#runtimes/drivers/swarm/objects'
import { until } from '#runtimes/drivers/swarm/polling'
import { GRACE_SEC } from '#runtimes/drivers/swarm/agent_service'
import type { Services } from '#runtimes/drivers/swarm/services'

/** Time that nodes get to end a task beyond its grace. */
const MARGIN_MS = 30_000

/** Ends agents' tasks. */
export class Stopper {
  readonly #services: Services
  readonly #cluster: Cluster
  readonly #isFenced: boolean

  /** @param isFenced whether a copy on a lost node ends by itself, because the lease of its data passes on */
  constructor(services: Services, cluster: Cluster, isFenced: boolean) {
    this.#services = services
    this.#cluster = cluster
    this.#isFenced = isFenced
  }

  /**
   * Scales an agent to 0 and waits until no node runs it.
   *
   * @throws RuntimeError `engine_unreachable` if a lost node may still run it
   */
  async stop(name: string): Promise<void> {
    let service: Service | null
    do {
      service = await this.#services.findOurs(name)
      if (!service) return
    } while (isWanted(service) && !(await this.#services.scale(service, 0)))
    await this.ended(name)
  }

  /** Ends an agent's tasks and removes its service. */
  async remove(name: string): Promise<void> {
    const service = await this.#services.findOurs(name)
    if (!service) return
    await this.#services.remove(service.ID)
    await this.ended(name)
  }

  /** Waits until no node runs a task of the agent. */
  async ended(name: string): Promise<void> {
    let lost: string | null = null
    const done = await until(
      async () => {
        const alive = (await this.#services.tasks(name)).filter(mayRun)
        if (alive.length === 0) return true
        const nodes = await Promise.all(alive.map(({ NodeID }) => this.#cluster.node(NodeID)))
        if (!nodes.every((node) => node === null || node.isLost)) return false
        lost = nodes[0]?.name ?? 'that left'
        return true
      },
      GRACE_SEC * 1000 + MARGIN_MS
    )
    if (!done) {
      throw new RuntimeError('internal', `${name} did not end in time.`, {
        help: `See "docker service ps ${name}", and the log of the engine of its node.`,
      })
    }
    if (lost === null || this.#isFenced) return
    throw new RuntimeError('engine_unreachable', `The node ${lost} of ${name} is lost.`, {
      help: 'It may still run the agent, which ends when the node comes back, or with its machine.',
    })
  }
}

/** A task that was never placed runs nowhere. */
function mayRun(task: Task): boolean {
  return !hasEnded(task) && isPlaced(task)
}

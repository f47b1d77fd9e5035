import { RuntimeError } from '#runtimes/errors'
import type { Engine } from '#runtimes/engine/engine'

/** Age at which nodes are read again: a lost one is reported by the swarm itself only after 15 seconds. */
const FRESH_MS = 1000

/** A machine of the swarm. */
export interface ClusterNode {
  id: string
  /** Its host name. */
  name: string
  /** Where other nodes reach it. */
  address: string
  isManager: boolean
  /** Whether it may get tasks. */
  isReady: boolean
  /** Whether the swarm has lost it. Its containers may run on. */
  isLost: boolean
  labels: Record<string, string>
  /** Bytes of memory. */
  memory: number
  processors: number
}

interface FoundNode {
  ID: string
  Version: { Index: number }
  Spec: { Labels?: Record<string, string>; Role: string; Availability: string; Name?: string }
  Description?: {
    Hostname: string
    Resources?: { NanoCPUs?: number; MemoryBytes?: number }
  }
  Status: { State: string; Addr?: string }
  ManagerStatus?: { Addr?: string }
}

/** The nodes of the swarm, as one of its managers sees them. */
export class Cluster {
  readonly #engine: Engine
  #read: { nodes: Promise<ClusterNode[]>; at: number } | null = null

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Returns all nodes, at most a second old. */
  nodes(): Promise<ClusterNode[]> {
    if (this.#read && performance.now() - this.#read.at < FRESH_MS) return this.#read.nodes
    const nodes = this.#list()
    this.#read = { nodes, at: performance.now() }
    nodes.catch(() => (this.#read = null))
    return nodes
  }

  /** Returns a node, or null if it has left the swarm. */
  async node(id: string | undefined): Promise<ClusterNode | null> {
    return (await this.nodes()).find((node) => node.id === id) ?? null
  }

  /** Adds labels to a node, which constraints can name as `node.labels.<key>`. */
  async label(id: string, labels: Record<string, string>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#engine.call(async (docker, options) => {
          const found = (await docker.getNode(id).inspect()) as FoundNode
          const Labels = { ...found.Spec.Labels, ...labels }
          const body = { ...found.Spec, Labels }
          await docker
            .getNode(id)
            .update({ _query: { version: found.Version.Index }, _body: body, ...options } as object)
        })
        break
      } catch (error) {
        if (!isOutOfSequence(error) || attempt === 5) throw error
      }
    }
    this.#read = null
  }

  /**
   * Returns the address of the manager that this engine is.
   *
   * @throws RuntimeError if it is no manager of a swarm
   */
  async managerAddress(): Promise<string> {
    const { Swarm: swarm } = (await this.#engine.call((docker) => docker.info())) as {
      Swarm?: { LocalNodeState?: string; ControlAvailable?: boolean; NodeAddr?: string }
    }
    if (swarm?.LocalNodeState === 'active' && swarm.ControlAvailable && swarm.NodeAddr) {
      return swarm.NodeAddr
    }
    const state = swarm?.LocalNodeState === 'active' ? 'a worker of a swarm' : 'in no swarm'
    throw new RuntimeError(
      'engine_unreachable',
      `The engine at ${this.#engine.host} is ${state}.`,
      {
        help: 'Run "docker swarm init" on its machine, or name a manager in the settings of the runtime.',
      }
    )
  }

  /** Returns the id of the swarm. */
  async identity(): Promise<string | null> {
    const { Swarm: swarm } = (await this.#engine.call((docker) => docker.info())) as {
      Swarm?: { Cluster?: { ID?: string } }
    }
    return swarm?.Cluster?.ID ?? null
  }

  async #list(): Promise<ClusterNode[]> {
    const found = (await this.#engine.call((docker, options) =>
      docker.listNodes(options as object)
    )) as FoundNode[]
    return found.map(nodeOf)
  }
}

function nodeOf({ ID, Spec, Description, Status, ManagerStatus }: FoundNode): ClusterNode {
  const { NanoCPUs = 0, MemoryBytes = 0 } = Description?.Resources ?? {}
  // A manager may list itself by the address that it listens on, 0.0.0.0.
  const own = ManagerStatus?.Addr?.replace(/:\d+$/, '')
  const address = Status.Addr && Status.Addr !== '0.0.0.0' ? Status.Addr : (own ?? '')
  return {
    id: ID,
    name: Description?.Hostname ?? ID,
    address,
    isManager: Spec.Role === 'manager',
    isReady: Status.State === 'ready' && Spec.Availability === 'active',
    isLost: Status.State === 'down' || Status.State === 'disconnected',
    labels: Spec.Labels ?? {},
    memory: MemoryBytes,
    processors: NanoCPUs / 1e9,
  }
}

/** Whether another process changed the object since it was read. */
export function isOutOfSequence(error: unknown): boolean {
  return /out of sequence/.test(String((error as Error).message))
}

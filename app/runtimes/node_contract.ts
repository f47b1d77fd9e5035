/** The optional part of a runtime driver's contract for runtimes of several machines. */
import type { Observed } from '#runtimes/contract'

/** Labels of nodes by key: `{ disk: 'ssd' }`. */
export type NodeLabels = Record<string, string>

/** A machine that runs instances, as one of several. */
export interface RuntimeNode {
  id: string
  /** Its host name, which need not be unique. */
  name: string
  /**
   * `ready` takes instances, `drained` takes none until it is reopened, `unavailable` takes none for another
   * reason of the runtime's, `lost` does not answer.
   */
  state: 'ready' | 'drained' | 'unavailable' | 'lost'
  processors: number
  /** In bytes. */
  memory: {
    total: number
    /** Kept free for the instances that run here. */
    promised: number
    /** By everything on the node; null if unknown. */
    used: number | null
  }
  /** The instances that run here. */
  instances: Pick<Observed, 'name' | 'agent'>[]
}

/** The nodes of a runtime that has several. A node is named by its id. */
export interface RuntimeNodes {
  /** Returns all nodes, with one request each at most to what manages them. */
  list(): Promise<RuntimeNode[]>

  /**
   * Closes a node to instances: `ensure` starts none there, and rejects with `no_capacity` for one whose data no
   * other node reaches. Instances that run there are left alone. Idempotent.
   *
   * @throws E_RUNTIME_NODE_UNKNOWN
   */
  drain(node: string): Promise<void>

  /** Opens a drained node. Idempotent. @throws E_RUNTIME_NODE_UNKNOWN */
  reopen(node: string): Promise<void>

  /** Returns the names of instances whose data is on this node alone, whether or not they run. */
  pinned(node: string): Promise<string[]>
}

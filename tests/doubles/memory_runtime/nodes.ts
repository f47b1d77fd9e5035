import type { InstanceSpec, RuntimeNode, RuntimeNodes } from '#runtimes/contract'
import { E_RUNTIME_NODE_UNKNOWN, RuntimeError } from '#runtimes/errors'
import type { MemoryInstance } from '#tests/doubles/memory_runtime/world'

export interface MemoryNode {
  name: string
  labels?: Record<string, string>
}

const MEBIBYTE = 1024 * 1024
const TOTAL_BYTES = 16 * 1024 * MEBIBYTE

/** Several machines over one world: each instance is on one of them, and its data too unless it is shared. */
export class MemoryNodes implements RuntimeNodes {
  readonly #instances: ReadonlyMap<string, MemoryInstance>
  readonly #nodes: MemoryNode[]
  readonly #isShared: boolean
  readonly #drained = new Set<string>()
  /** The node of each instance's last start, by its name. */
  readonly #places = new Map<string, MemoryNode>()

  constructor(
    instances: ReadonlyMap<string, MemoryInstance>,
    nodes: MemoryNode[],
    { isShared = false } = {}
  ) {
    this.#instances = instances
    this.#nodes = nodes
    this.#isShared = isShared
  }

  /** Chooses the node of a start: the one with the fewest instances. @throws RuntimeError */
  place({ name, placement = {} }: Pick<InstanceSpec, 'name' | 'placement'>): void {
    const home = this.#isShared ? undefined : this.#places.get(name)
    const [chosen] = this.#nodes
      .filter((node) => !this.#drained.has(node.name) && (!home || node === home))
      .filter(({ labels }) =>
        Object.entries(placement).every(([key, value]) => labels?.[key] === value)
      )
      .toSorted((one, other) => this.#running(one).length - this.#running(other).length)
    if (!chosen) throw new RuntimeError('no_capacity', 'No node may run it.')
    this.#places.set(name, chosen)
  }

  async list(): Promise<RuntimeNode[]> {
    return this.#nodes.map((node) => {
      const running = this.#running(node)
      const promised = running.reduce((sum, { spec }) => sum + spec.limits.memoryMb * MEBIBYTE, 0)
      return {
        id: `id-${node.name}`,
        name: node.name,
        state: this.#drained.has(node.name) ? 'drained' : 'ready',
        processors: 4,
        memory: { total: TOTAL_BYTES, promised, used: null },
        instances: running.map(({ spec: { name, agent } }) => ({ name, agent })),
      }
    })
  }

  async drain(id: string): Promise<void> {
    this.#drained.add(this.#find(id).name)
  }

  async reopen(id: string): Promise<void> {
    this.#drained.delete(this.#find(id).name)
  }

  async pinned(id: string): Promise<string[]> {
    const node = this.#find(id)
    if (this.#isShared) return []
    return [...this.#places].filter(([, place]) => place === node).map(([name]) => name)
  }

  /** Returns the name of the node that an instance runs on, or last ran on. */
  nodeOf(instance: string): string | null {
    return this.#places.get(instance)?.name ?? null
  }

  #running(node: MemoryNode): MemoryInstance[] {
    return [...this.#instances.values()].filter(
      ({ gateway, spec }) => gateway && this.#places.get(spec.name) === node
    )
  }

  #find(id: string): MemoryNode {
    const node = this.#nodes.find(({ name }) => `id-${name}` === id)
    if (!node) throw new E_RUNTIME_NODE_UNKNOWN(id)
    return node
  }
}

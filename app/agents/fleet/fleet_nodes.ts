import type { AgentsContext } from '#agents/context'
import {
  E_AMBIGUOUS_NODE,
  E_RUNTIME_WITHOUT_NODES,
  E_UNKNOWN_NODE,
} from '#agents/fleet/node_errors'
import type { RuntimeNode, RuntimeNodes } from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'
import { DeadlineExceeded, within } from '#timing/deadline'

/** Age at which the nodes are listed again, however many admins look at them. */
const FRESH_MS = 10_000

/** A node, with its runtime and the interface that controls the runtime's nodes. */
export interface FoundNode {
  runtime: string
  nodes: RuntimeNodes
  node: RuntimeNode
}

/** The nodes of the runtime in use. */
export class FleetNodes {
  readonly #context: Pick<AgentsContext, 'clock' | 'runtimes' | 'settings' | 'timeouts'>
  #last: { runtime: string; at: number; list: Promise<RuntimeNode[]> } | null = null

  constructor(context: Pick<AgentsContext, 'clock' | 'runtimes' | 'settings' | 'timeouts'>) {
    this.#context = context
  }

  /**
   * Returns the nodes as of the last ten seconds; none for a runtime that runs agents on one machine.
   *
   * @throws RuntimeError if the runtime does not answer in time
   */
  async list(): Promise<RuntimeNode[]> {
    const { clock, settings } = this.#context
    const runtime = await settings.get('runtime.driver')
    const last = this.#last
    if (last?.runtime === runtime && clock.elapsed() - last.at < FRESH_MS) return last.list
    const list = this.#read(runtime)
    const read = { runtime, at: clock.elapsed(), list }
    this.#last = read
    list.catch(() => {
      if (this.#last === read) this.#last = null
    })
    return list
  }

  /**
   * Returns the node of this name or id, as it is now.
   *
   * @throws E_RUNTIME_WITHOUT_NODES, E_UNKNOWN_NODE, E_AMBIGUOUS_NODE, RuntimeError
   */
  async find(name: string): Promise<FoundNode> {
    const runtime = await this.#context.settings.get('runtime.driver')
    const nodes = await this.#nodesOf(runtime)
    if (!nodes) throw new E_RUNTIME_WITHOUT_NODES(runtime)
    const all = await this.inTime(() => nodes.list())
    const byId = all.find(({ id }) => id === name)
    const named = byId ? [byId] : all.filter((node) => node.name === name)
    if (named.length === 0)
      throw new E_UNKNOWN_NODE(
        name,
        all.map((node) => node.name)
      )
    if (named.length > 1)
      throw new E_AMBIGUOUS_NODE(
        name,
        named.map(({ id }) => id)
      )
    this.#last = null
    return { runtime, nodes, node: named[0] }
  }

  /** @throws RuntimeError `engine_unreachable` if it takes too long, what the work throws */
  async inTime<T>(work: () => Promise<T>): Promise<T> {
    const { clock, timeouts } = this.#context
    return within(clock, timeouts.inspectMs, undefined, work).catch((cause: unknown) => {
      if (!(cause instanceof DeadlineExceeded)) throw cause
      throw new RuntimeError('engine_unreachable', 'The runtime does not answer about its nodes.', {
        cause,
        help: 'The check of the runtime in the administration says more.',
      })
    })
  }

  async #read(runtime: string): Promise<RuntimeNode[]> {
    const nodes = await this.#nodesOf(runtime)
    return nodes ? this.inTime(() => nodes.list()) : []
  }

  async #nodesOf(runtime: string): Promise<RuntimeNodes | undefined> {
    const { runtimes } = this.#context
    if (!runtimes.names().includes(runtime)) return undefined
    return (await runtimes.use(runtime)).nodes
  }
}

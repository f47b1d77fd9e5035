import type { AgentsContext } from '#agents/context'
import type { FleetNodes, FoundNode } from '#agents/fleet/fleet_nodes'
import { agentOf, isKeptUp, isWanted, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey } from '#agents/types'
import type { Audit } from '#audit/audit'
import type { RuntimeNode } from '#runtimes/contract'
import { isFailureReason, type FailureReason } from '#runtimes/errors'
import { inParallel } from '#timing/in_parallel'

/** Agents drained at once: each mostly waits for its own work to finish. */
const CONCURRENCY = 8
/** Rounds until the node is empty: a start that chose the node just before it was closed still lands there. */
const ROUNDS = 3
/** Other replicas of Mosaic know within a second that a node is closed. */
const KNOWN_MS = 1500

/** The part of the lifecycle that a drain needs. */
export interface DrainControls {
  stop(agent: AgentKey): Promise<unknown>
  restartAndWait(agent: AgentKey): Promise<unknown>
}

/** Names of instances by what became, or in a dry run would become, of them. */
export interface DrainedNode {
  node: { id: string; name: string }
  /** Agents that sleep now, until their next message. */
  stopped: string[]
  /** Agents that always run, and now run on another node. */
  moved: string[]
  /** Agents with data on this node alone, awake or not: they wait until it is reopened. */
  waiting: string[]
  /** Agents that could not be ended here, or do not run elsewhere. */
  failed: { name: string; reason: FailureReason }[]
}

type Outcome = { is: 'stopped' | 'moved' } | { is: 'failed'; reason: FailureReason }

/** Empties a node, as before its maintenance, and opens it again. */
export class NodeDrain {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>
  readonly #nodes: FleetNodes
  readonly #rows: Pick<AgentRepository, 'findMany'>
  readonly #controls: DrainControls
  readonly #audit: Audit

  constructor(
    context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>,
    parts: {
      nodes: FleetNodes
      rows: Pick<AgentRepository, 'findMany'>
      controls: DrainControls
      audit: Audit
    }
  ) {
    this.#context = context
    this.#nodes = parts.nodes
    this.#rows = parts.rows
    this.#controls = parts.controls
    this.#audit = parts.audit
  }

  /**
   * Closes the node to agents, then ends those that run there. One that always runs starts on another node at once;
   * the others sleep, and wake on another. Each finishes its work first, up to the grace of the settings.
   *
   * @throws as `FleetNodes.find`
   */
  async drain(name: string, { dryRun = false } = {}): Promise<DrainedNode> {
    const found = await this.#nodes.find(name)
    const { nodes, node } = found
    const waiting = await this.#nodes.inTime(() => nodes.pinned(node.id))
    if (dryRun) {
      const keptUp = await this.#keptUp(node.instances)
      return reportOf(node, planned(node, keptUp, waiting), waiting)
    }
    await this.#nodes.inTime(() => nodes.drain(node.id))
    await this.#note('node.drained', found)
    return reportOf(node, await this.#empty(found), waiting)
  }

  /** Has the node take agents again. Those that wait for it start with their next message, or within minutes. */
  async reopen(name: string): Promise<{ id: string; name: string }> {
    const found = await this.#nodes.find(name)
    const { id } = found.node
    await this.#nodes.inTime(() => found.nodes.reopen(id))
    await this.#note('node.reopened', found)
    return { id, name: found.node.name }
  }

  async #empty({ nodes, node }: FoundNode): Promise<Map<string, Outcome>> {
    const { clock } = this.#context
    const outcomes = new Map<string, Outcome>()
    for (let round = 1; ; round++) {
      const all = await this.#nodes.inTime(() => nodes.list())
      const left = all.find(({ id }) => id === node.id)?.instances ?? []
      if (round > ROUNDS) {
        for (const { name } of left) outcomes.set(name, { is: 'failed', reason: 'internal' })
      }
      if (left.length === 0 || round > ROUNDS) return outcomes
      const keptUp = await this.#keptUp(left)
      await inParallel(left, CONCURRENCY, async ({ name, agent }) => {
        outcomes.set(name, await this.#end(agent as AgentKey, keptUp.has(agent)))
      })
      await new Promise<void>((resolve) => clock.after(KNOWN_MS, resolve))
    }
  }

  /** Returns which of the agents always run. */
  async #keptUp(instances: RuntimeNode['instances']): Promise<Set<string>> {
    const policy = await this.#context.settings.get('agents.wakePolicy')
    const rows = await this.#rows.findMany(instances.map(({ agent }) => agent as AgentKey))
    return new Set(rows.filter((row) => isKeptUp(row, policy) && isWanted(row)).map(agentOf))
  }

  async #end(agent: AgentKey, isKept: boolean): Promise<Outcome> {
    try {
      if (isKept) await this.#controls.restartAndWait(agent)
      else await this.#controls.stop(agent)
      return { is: isKept ? 'moved' : 'stopped' }
    } catch (error) {
      this.#context.logger.warn({ err: error, agent }, 'An agent did not leave a drained node')
      const { reason } = error as { reason?: unknown }
      return { is: 'failed', reason: isFailureReason(reason) ? reason : 'internal' }
    }
  }

  async #note(action: string, { runtime, node }: FoundNode): Promise<void> {
    const details = { name: node.name, runtime, agents: node.instances.length }
    await this.#audit.record({ action, subject: { type: 'node', id: node.id }, details })
  }
}

/** Returns what a drain would do. */
function planned(
  { instances }: RuntimeNode,
  keptUp: Set<string>,
  waiting: string[]
): Map<string, Outcome> {
  const pinned = new Set(waiting)
  const outcomes = instances.map(({ name, agent }): [string, Outcome] => {
    if (!keptUp.has(agent)) return [name, { is: 'stopped' }]
    return [name, pinned.has(name) ? { is: 'failed', reason: 'no_capacity' } : { is: 'moved' }]
  })
  return new Map(outcomes)
}

/** An agent that does not start elsewhere because its data is here waits, and has not failed. */
function reportOf(
  { id, name }: RuntimeNode,
  outcomes: Map<string, Outcome>,
  waiting: string[]
): DrainedNode {
  const pinned = new Set(waiting)
  const report: DrainedNode = { node: { id, name }, stopped: [], moved: [], waiting, failed: [] }
  for (const [instance, outcome] of outcomes) {
    if (outcome.is !== 'failed') report[outcome.is].push(instance)
    else if (outcome.reason !== 'no_capacity' || !pinned.has(instance)) {
      report.failed.push({ name: instance, reason: outcome.reason })
    }
  }
  return report
}

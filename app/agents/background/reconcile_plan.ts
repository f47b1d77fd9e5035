import {
  agentOf,
  instanceName,
  isKeptUp,
  isUp,
  isWanted,
  mustEnd,
} from '#agents/state/agent_repository'
import type { AgentKey, AgentRow } from '#agents/types'
import type { WakePolicy } from '#models/types'
import type { Observed } from '#runtimes/contract'

/** One step that closes a gap between desired and actual state. */
export interface ReconcileAction {
  /**
   * `adopt` a wanted instance, `stop` an unwanted agent, `remove` an instance without an agent,
   * `recheck` an agent whose instance is missing, `start` an agent that should always run, `resume` a suspended
   * agent that a request of this process waits for.
   */
  action: 'adopt' | 'stop' | 'remove' | 'recheck' | 'start' | 'resume'
  agent: AgentKey
  name: string
}

/** An instance, and the runtime that listed it. */
export interface Listed {
  runtime: string
  observed: Observed
}

export interface ReconcileInput {
  listed: Listed[]
  /** All rows that are up or have a listed instance, and all system agents. */
  rows: AgentRow[]
  /** Agents of deactivated users: they end, and none starts again. */
  ownerless: ReadonlySet<AgentKey>
  /** Runtimes that answered. The state of all others is unknown. */
  answered: ReadonlySet<string>
  /** The policy of agents whose owner has not chosen one. */
  policy: WakePolicy
  /** Whether this process has requests in flight at an agent. */
  isInUse(agent: AgentKey): boolean
}

export type PlannedAction = ReconcileAction & {
  listed?: Listed
  row?: AgentRow
  /** Whether the agent ends although its row says that it should run. */
  despiteRow?: boolean
}

/** Compares the runtimes' instances with the desired state in the rows. */
export function reconcilePlan(input: ReconcileInput): PlannedAction[] {
  const { listed, rows, ownerless, answered, policy, isInUse } = input
  const byAgent = new Map(rows.map((row) => [agentOf(row), row]))
  const seen = new Set<AgentKey>()
  const actions: PlannedAction[] = []

  for (const entry of listed) {
    const { name } = entry.observed
    const agent = entry.observed.agent as AgentKey
    const row = byAgent.get(agent)
    const isIts =
      row && instanceName(row) === name && (row.runtime ?? entry.runtime) === entry.runtime
    if (!isIts) {
      actions.push({ action: 'remove', agent, name, listed: entry })
      continue
    }
    if (entry.observed.status === 'exited') continue
    seen.add(agent)
    if (ownerless.has(agent)) {
      actions.push({ action: 'stop', agent, name, row, despiteRow: true })
    } else if (mustEnd(row)) actions.push({ action: 'stop', agent, name, row })
    else if (entry.observed.status === 'suspended' && isInUse(agent)) {
      actions.push({ action: 'resume', agent, name, row })
    } else if (!isKnown(row, entry.observed)) {
      actions.push({ action: 'adopt', agent, name, row, listed: entry })
    }
  }

  for (const row of rows) {
    const agent = agentOf(row)
    if (seen.has(agent)) continue
    const name = instanceName(row)
    if (isUp(row) && row.runtime && !answered.has(row.runtime)) continue
    if (isUp(row)) actions.push({ action: 'recheck', agent, name, row })
    if (isKeptUp(row, policy) && isWanted(row) && !ownerless.has(agent)) {
      actions.push({ action: 'start', agent, name, row })
    }
  }
  return actions
}

/** Whether the row already matches the observed instance. */
function isKnown(row: AgentRow, observed: Observed): boolean {
  return (
    row.status === observed.status &&
    row.containerId === observed.id &&
    row.endpoint === observed.endpoint
  )
}

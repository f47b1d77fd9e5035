import { agentOf, instanceName, isUp, isWanted, mustEnd } from '#agents/state/agent_repository'
import type { AgentKey, AgentRow } from '#agents/types'
import SystemContainer from '#models/system_container'
import type { WakePolicy } from '#models/types'
import type { Observed } from '#runtimes/contract'

/** What would close one gap between what runs and what should run. */
export interface ReconcileAction {
  /**
   * `adopt` an instance that is wanted, `stop` an agent that is not, `remove` an instance of no agent,
   * `recheck` an agent whose instance is not to be seen, `start` an agent that should always be there.
   */
  action: 'adopt' | 'stop' | 'remove' | 'recheck' | 'start'
  agent: AgentKey
  /** The instance's name. */
  name: string
}

/** An instance, with the runtime that showed it. */
export interface Listed {
  runtime: string
  observed: Observed
}

export interface ReconcileInput {
  listed: Listed[]
  /** All rows that are up or have an instance among those listed, and all system agents'. */
  rows: AgentRow[]
  /** The runtimes that answered: of others nothing is known. */
  answered: ReadonlySet<string>
  /** What becomes of agents whose owners do not say. */
  policy: WakePolicy
}

export type PlannedAction = ReconcileAction & { listed?: Listed; row?: AgentRow }

/** Compares what the runtimes show with what the rows want. */
export function reconcilePlan({ listed, rows, answered, policy }: ReconcileInput): PlannedAction[] {
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
    if (mustEnd(row)) actions.push({ action: 'stop', agent, name, row })
    else if (!isKnown(row, entry.observed)) {
      actions.push({ action: 'adopt', agent, name, row, listed: entry })
    }
  }

  for (const row of rows) {
    const agent = agentOf(row)
    if (seen.has(agent)) continue
    const name = instanceName(row)
    if (isUp(row) && row.runtime && !answered.has(row.runtime)) continue
    if (isUp(row)) actions.push({ action: 'recheck', agent, name, row })
    if (isKeptUp(row, policy) && isWanted(row)) {
      actions.push({ action: 'start', agent, name, row })
    }
  }
  return actions
}

/** Whether it is started again whenever it is gone. */
function isKeptUp(row: AgentRow, policy: WakePolicy): boolean {
  return row instanceof SystemContainer || (row.wakePolicy ?? policy) === 'always_on'
}

/** Whether the row says already what is to be seen. */
function isKnown(row: AgentRow, observed: Observed): boolean {
  return (
    row.status === observed.status &&
    row.containerId === observed.id &&
    row.endpoint === observed.endpoint
  )
}

import type AgentSummary from '#models/agent_summary'
import type SystemContainer from '#models/system_container'

/** The admin's view of any agent's instance: its state, none of its contents. */
export function lifecycleFields(row: AgentSummary | SystemContainer) {
  return {
    status: row.status,
    reason: row.statusReason ?? null,
    desired: row.desired,
    runtime: row.runtime ?? null,
    lastActiveAt: row.lastActiveAt?.toUTC().toISO() ?? null,
    startedAt: row.startedAt?.toUTC().toISO() ?? null,
  }
}

import type { AgentRow } from '#agents/types'

/** What an admin may know of any agent's instance: its state, and nothing that it holds. */
export function lifecycleFields(row: AgentRow) {
  return {
    status: row.status,
    reason: row.statusReason ?? null,
    desired: row.desired,
    runtime: row.runtime ?? null,
    lastActiveAt: row.lastActiveAt?.toUTC().toISO() ?? null,
    startedAt: row.startedAt?.toUTC().toISO() ?? null,
  }
}

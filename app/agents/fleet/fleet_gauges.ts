import db from '@adonisjs/lucid/services/db'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentGauges } from '#agents/metrics'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'

/** How the fleet is just now: the rows of all, the wakes of this process. */
export async function fleetGauges(
  lifecycle: Pick<AgentLifecycle, 'waking' | 'gate'>
): Promise<AgentGauges> {
  const agents: Record<string, number> = {}
  for (const { table } of [UserContainer, SystemContainer]) {
    const rows: { status: string; total: number | string }[] = await db
      .from(table)
      .select('status')
      .count('* as total')
      .groupBy('status')
    for (const { status, total } of rows) agents[status] = (agents[status] ?? 0) + Number(total)
  }
  return { agents, waking: lifecycle.waking, queued: lifecycle.gate.waiting }
}

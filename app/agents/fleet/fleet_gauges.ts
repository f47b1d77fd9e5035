import db from '@adonisjs/lucid/services/db'
import type { AgentGauges } from '#agents/metrics'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'

/** Counts all agents by the status of their rows, and the wakes of this process. */
export async function fleetGauges(
  wakes: { readonly size: number },
  gate: { readonly waiting: number }
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
  return { agents, waking: wakes.size, queued: gate.waiting }
}

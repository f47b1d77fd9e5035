import LlmProvider from '#models/llm_provider'
import SystemContainer from '#models/system_container'
import type { AgentKey } from '#agents/types'

/** The agents whose document a user's providers or wishes are part of. */
export async function agentsOf(userId: string): Promise<AgentKey[]> {
  const systems = await SystemContainer.query()
    .select('id')
    .whereIn('provider_id', LlmProvider.ownedBy(userId).select('id'))
  return [`user/${userId}`, ...systems.map((row) => `system/${row.id}` as const)]
}

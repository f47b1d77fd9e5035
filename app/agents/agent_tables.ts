import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import type { AgentKey } from '#agents/types'

/** The tables of agents: the prefix of their keys, and the column with the rest of the key. */
export const AGENT_TABLES = [
  { prefix: 'user/', table: UserContainer.table, column: 'user_id' },
  { prefix: 'system/', table: SystemContainer.table, column: 'id' },
] as const

/** Locates an agent's row. */
export function rowOf(agent: AgentKey): { table: string; column: string; id: string } {
  const { prefix, table, column } = AGENT_TABLES.find((kind) => agent.startsWith(kind.prefix))!
  return { table, column, id: agent.slice(prefix.length) }
}

/** Returns the ids of the given agents that belong to this table. */
export function idsIn(
  { prefix }: (typeof AGENT_TABLES)[number],
  agents: Iterable<AgentKey>
): string[] {
  return [...agents]
    .filter((agent) => agent.startsWith(prefix))
    .map((agent) => agent.slice(prefix.length))
}

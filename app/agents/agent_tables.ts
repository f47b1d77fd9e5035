import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import type { AgentKey } from '#agents/types'

/** The tables that hold agents: how a key begins, and the column that holds the rest of it. */
export const AGENT_TABLES = [
  { prefix: 'user/', table: UserContainer.table, column: 'user_id' },
  { prefix: 'system/', table: SystemContainer.table, column: 'id' },
] as const

/** Where the row of an agent is. */
export function rowOf(agent: AgentKey): { table: string; column: string; id: string } {
  const { prefix, table, column } = AGENT_TABLES.find((kind) => agent.startsWith(kind.prefix))!
  return { table, column, id: agent.slice(prefix.length) }
}

/** The ids of those agents that are in this table. */
export function idsIn(
  { prefix }: (typeof AGENT_TABLES)[number],
  agents: Iterable<AgentKey>
): string[] {
  return [...agents]
    .filter((agent) => agent.startsWith(prefix))
    .map((agent) => agent.slice(prefix.length))
}

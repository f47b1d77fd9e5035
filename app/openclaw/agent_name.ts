/**
 * How an agent is named wherever text names it: `user/<user id>` or `system/<system container id>`.
 * It is the launcher's AGENT_ID, and the two path parts of the config endpoint.
 */
export type AgentName = `user/${string}` | `system/${string}`

export interface AgentNameParts {
  kind: 'user' | 'system'
  id: string
}

/** The parts of an agent's name. */
export function parseAgentName(name: AgentName): AgentNameParts {
  const slash = name.indexOf('/')
  return { kind: name.slice(0, slash) as AgentNameParts['kind'], id: name.slice(slash + 1) }
}

/** The user whose agent it is, or null for a system agent. */
export function ownerOf(name: AgentName): string | null {
  const { kind, id } = parseAgentName(name)
  return kind === 'user' ? id : null
}

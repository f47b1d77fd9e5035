/**
 * An agent's name wherever it is written as text: `user/<user id>` or `system/<system container id>`. Used as
 * the launcher's AGENT_ID and as the two path segments of the config endpoint.
 */
export type AgentName = `user/${string}` | `system/${string}`

export interface AgentNameParts {
  kind: 'user' | 'system'
  id: string
}

/** Splits an agent's name. */
export function parseAgentName(name: AgentName): AgentNameParts {
  const slash = name.indexOf('/')
  return { kind: name.slice(0, slash) as AgentNameParts['kind'], id: name.slice(slash + 1) }
}

/** Returns the id of the user who owns the agent, or null for a system agent. */
export function ownerOf(name: AgentName): string | null {
  const { kind, id } = parseAgentName(name)
  return kind === 'user' ? id : null
}

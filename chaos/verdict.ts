import type { AgentKey } from '#agents/types'
import type { Facts } from './messages.js'

/** Row states that require an instance. */
const UP = new Set(['starting', 'running', 'suspended', 'stopping'])

/** Violations after everything has settled, one sentence each. */
export interface Verdict {
  /** Instances that no row wants or knows. */
  orphans: string[]
  /** Agents with more than one instance. */
  doubles: string[]
  /** Rows without their instance, and answered messages that are gone. */
  lost: string[]
}

export function judge({ rows, instances }: Facts): Verdict {
  const verdict: Verdict = { orphans: [], doubles: [], lost: [] }
  const alive = instances.filter(({ status }) => status !== 'exited')
  for (const row of rows) {
    const { agent, status, leaseOwner } = row
    const own = alive.filter((instance) => instance.agent === agent)
    if (own.length > 1) verdict.doubles.push(`${agent} has ${own.length} instances`)
    if (leaseOwner) verdict.lost.push(`${agent} is still held by ${leaseOwner}`)
    const known = own.some(
      ({ id, endpoint }) => id === row.containerId && endpoint === row.endpoint
    )
    if (UP.has(status) && !known) {
      verdict.lost.push(`${agent} is "${status}" without a true instance`)
    }
    if (status === 'running' && own.some((instance) => instance.status === 'suspended')) {
      verdict.lost.push(`${agent} is "running" and frozen`)
    }
    if (!UP.has(status) && own.length > 0) verdict.orphans.push(`${agent} is "${status}" and runs`)
  }
  const agents = new Set<string>(rows.map(({ agent }) => agent))
  for (const { agent, name } of alive) {
    if (!agents.has(agent)) verdict.orphans.push(`${name} belongs to no agent`)
  }
  return verdict
}

/** Returns answered messages that the agents do not remember, one sentence each. */
export function forgotten(
  answered: ReadonlyMap<AgentKey, string[]>,
  memories: Record<AgentKey, string[]>
): string[] {
  return [...answered].flatMap(([agent, messages]) => {
    const kept = new Set(memories[agent])
    const gone = messages.filter((message) => !kept.has(message))
    return gone.map((message) => `${agent} has forgotten "${message}"`)
  })
}

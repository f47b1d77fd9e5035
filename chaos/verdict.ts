import type { AgentKey } from '#agents/types'
import type { Facts } from './messages.js'

/** States of a row in which there must be an instance. */
const UP = new Set(['starting', 'running', 'suspended', 'stopping'])

/** What is wrong after everything has come to rest, one sentence each. */
export interface Verdict {
  /** Instances that no row wants, or knows. */
  orphans: string[]
  /** Agents of which more than one instance is there. */
  doubles: string[]
  /** Rows without the instance that they tell of, and messages that were answered and are gone. */
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
    if (!UP.has(status) && own.length > 0) verdict.orphans.push(`${agent} is "${status}" and runs`)
  }
  const agents = new Set<string>(rows.map(({ agent }) => agent))
  for (const { agent, name } of alive) {
    if (!agents.has(agent)) verdict.orphans.push(`${name} belongs to no agent`)
  }
  return verdict
}

/** Messages that were answered and that the agents do not remember, one sentence each. */
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

import type { AgentTransition } from '#agents/types'
import UserContainer from '#models/user_container'
import type { AgentStatus } from '#models/types'
import type { UsageMeter } from '#usage/usage_meter'

/** An agent in one of these has been up since it started. */
const WAS_UP = new Set<AgentStatus>(['running', 'suspended', 'stopping'])

/** Counts a user agent's wakes, and its time up when it stops. */
export function countTransition(
  meter: Pick<UsageMeter, 'woke' | 'awake'>,
  { before, row }: AgentTransition,
  now: () => number = Date.now
): void {
  if (!(row instanceof UserContainer)) return
  if (before.status === 'starting' && row.status === 'running') meter.woke(row.userId)
  const ended = before.startedAt !== null && !row.startedAt
  if (ended && WAS_UP.has(before.status)) meter.awake(row.userId, before.startedAt!, now())
}

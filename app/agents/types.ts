import type UserContainer from '#models/user_container'
import type SystemContainer from '#models/system_container'

/** The row of an agent, a user's or the system's. */
export type AgentRow = UserContainer | SystemContainer

/** Names an agent by its owner: `user/<user id>`, or `system/<system container id>`. */
export type AgentKey = `user/${string}` | `system/${string}`

/** Where a wake is. `queued` waits at the start gate, `ready` is the end. */
export const WAKE_STAGES = ['queued', 'provisioning', 'starting', 'booting', 'ready'] as const
export type WakeStage = (typeof WAKE_STAGES)[number]

/** One step of a wake, as the page and the API show it. Times in milliseconds. */
export interface WakeProgress {
  stage: WakeStage
  /** Since the wake began. */
  elapsedMs: number
  /** How long whole wakes took lately (median), or null before the first. */
  usualMs: number | null
  /** Place in the queue, from 1; only while `queued`. */
  queuePosition?: number
}

/** How Mosaic reaches a running agent. The token is full power over the agent: it leaves Mosaic never. */
export interface GatewayAccess {
  /** `http://host:port`, without a slash at the end. */
  url: string
  token: string
}

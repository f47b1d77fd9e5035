import type { AgentKey } from '#agents/types'

/** What one installation of the bench `scale` holds. */
export interface ScaleOrders {
  users: number
  /** Agents that run: those of the first users. */
  awake: number
  /** Port of the gateways: each agent has an address of its own in 127.0.0.0/8. */
  gatewayPort: number
}

/** Share of users whose agents run at a time. */
export const AWAKE_SHARE = 0.1
export const IDLE_MIN = 30
/** Days of usage that are stored. */
export const USAGE_DAYS = 14

export const RUNTIME = 'bench'

export const userIdOf = (index: number) => `user-${index}`
export const agentAt = (index: number): AgentKey => `user/${userIdOf(index)}`
export const nameAt = (index: number) => `mosaic-user-${userIdOf(index)}`

/** Returns the agent's own loopback address, so that each gateway has its own connections, as in a fleet. */
export function endpointAt(index: number, port: number): string {
  return `http://127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}:${port}`
}

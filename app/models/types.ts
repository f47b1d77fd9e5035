/** The shapes that JSON and enumerated columns hold. */

export const ROLES = ['admin', 'member'] as const
export type Role = (typeof ROLES)[number]

/** Who comes in through a service for the first time: whoever it knows, or only who was invited. */
export const SIGN_UPS = ['anyone', 'invited'] as const
export type SignUp = (typeof SIGN_UPS)[number]

/** What was last seen of an agent's instance. */
export const AGENT_STATUSES = [
  'stopped',
  'starting',
  'running',
  'suspended',
  'stopping',
  'error',
] as const
export type AgentStatus = (typeof AGENT_STATUSES)[number]

/** What should run. */
export type DesiredState = 'running' | 'stopped'

/** How much of OpenClaw an agent gets: a lean start, or every feature. */
export const AGENT_PROFILES = ['minimal', 'full'] as const
export type AgentProfile = (typeof AGENT_PROFILES)[number]

/**
 * What becomes of an agent that nobody uses: it is stopped (`scale_to_zero`), suspended first and stopped
 * later (`warm`), or runs on (`always_on`).
 */
export const WAKE_POLICIES = ['scale_to_zero', 'warm', 'always_on'] as const
export type WakePolicy = (typeof WAKE_POLICIES)[number]

/** One model of a provider, as its owner declared it. Sizes are in tokens. */
export interface ProviderModel {
  id: string
  name: string
  contextWindow?: number
  maxTokens?: number
}

/** What a runtime driver keeps of an instance. Only the driver reads it. */
export type RuntimeState = Record<string, unknown>

/** Ceilings of one agent. What is left out comes from the runtime's settings. */
export interface AgentLimits {
  memoryMb?: number
  cpus?: number
  processes?: number
}

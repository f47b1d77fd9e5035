/** Types of JSON and enumerated columns. */

export const ROLES = ['admin', 'member'] as const
export type Role = (typeof ROLES)[number]

/** Who may use a service for the first time: anyone it knows, or only invited people. */
export const SIGN_UPS = ['anyone', 'invited'] as const
export type SignUp = (typeof SIGN_UPS)[number]

/** Last observed status of an agent's instance. */
export const AGENT_STATUSES = [
  'stopped',
  'starting',
  'running',
  'suspended',
  'stopping',
  'error',
] as const
export type AgentStatus = (typeof AGENT_STATUSES)[number]

/** The state of an agent as its owner sees it: a suspended agent rests. */
export const AGENT_STATES = AGENT_STATUSES.map(stateOf)
export type AgentState = Exclude<AgentStatus, 'suspended'> | 'resting'

export function stateOf(status: AgentStatus): AgentState {
  return status === 'suspended' ? 'resting' : status
}

/** Desired state of an agent. */
export type DesiredState = 'running' | 'stopped'

/** How much of OpenClaw an agent gets: a lean start, or every feature. */
export const AGENT_PROFILES = ['minimal', 'full'] as const
export type AgentProfile = (typeof AGENT_PROFILES)[number]

/**
 * Policy for an idle agent: stop it (`scale_to_zero`), suspend it first and stop it later (`warm`), or leave it
 * running (`always_on`).
 */
export const WAKE_POLICIES = ['scale_to_zero', 'warm', 'always_on'] as const
export type WakePolicy = (typeof WAKE_POLICIES)[number]

/** When idle agents rest instead of being stopped: if the machine has memory to spare, always, or never. */
export const REST_MODES = ['auto', 'on', 'off'] as const
export type RestMode = (typeof REST_MODES)[number]

/** A provider's model, as its owner declared it. Sizes are in tokens. */
export interface ProviderModel {
  id: string
  name: string
  contextWindow?: number
  maxTokens?: number
}

/** A runtime driver's own data about an instance. Only the driver reads it. */
export type RuntimeState = Record<string, unknown>

/** Limits of one agent. Omitted values come from the runtime's settings. */
export interface AgentLimits {
  memoryMb?: number
  cpus?: number
  processes?: number
}

/** Labels of nodes by key, as in the contract of runtimes: `{ disk: 'ssd' }`. */
export type NodeLabels = Record<string, string>

/** An agent's access to its owner's knowledge: none, read, or read and write. */
export const KNOWLEDGE_ACCESS = ['off', 'read', 'write'] as const
export type KnowledgeAccess = (typeof KNOWLEDGE_ACCESS)[number]

/** Author of a row: its owner, or the owner's agent. */
export const AUTHORS = ['person', 'agent'] as const
export type Author = (typeof AUTHORS)[number]

/** Only current findings appear in searches. */
export const FINDING_STATUSES = ['current', 'superseded', 'rejected'] as const
export type FindingStatus = (typeof FINDING_STATUSES)[number]

export const TASK_STATUSES = ['todo', 'doing', 'blocked', 'done', 'cancelled'] as const
export type TaskStatus = (typeof TASK_STATUSES)[number]

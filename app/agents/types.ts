import type UserContainer from '#models/user_container'
import type SystemContainer from '#models/system_container'
import type { AgentState, AgentStatus, DesiredState } from '#models/types'
import type { FailureReason } from '#runtimes/errors'

/** The row of a user agent or a system agent. */
export type AgentRow = UserContainer | SystemContainer

/** Identifies an agent by its owner: `user/<user id>`, or `system/<system container id>`. */
export type AgentKey = `user/${string}` | `system/${string}`

/**
 * Where a wake is. `queued` waits at the start gate; from `prewarming` on the agent takes messages, and from
 * `ready` on it answers them at once.
 */
export const WAKE_STAGES = [
  'queued',
  'provisioning',
  'starting',
  'booting',
  'prewarming',
  'ready',
] as const
export type WakeStage = (typeof WAKE_STAGES)[number]

/**
 * Why an agent is woken: a `message`, a `person` who arrived or pressed a button, a `restart` with new
 * settings, its own `schedule`, `upkeep` of an agent that should always run, or because its owner is
 * `expected`. The last three do not count as use.
 */
export const WAKE_REASONS = [
  'message',
  'person',
  'restart',
  'schedule',
  'upkeep',
  'expected',
] as const
export type WakeReason = (typeof WAKE_REASONS)[number]

/** One step of a wake, as the page and the API show it. Times in whole milliseconds. */
export interface WakeProgress {
  stage: WakeStage
  /** Since the wake began. */
  elapsedMs: number
  /** Recent median duration of a whole wake, or null before the first. */
  usualMs: number | null
  /** Place in the queue, from 1; only while `queued`. */
  queuePosition?: number
  /** Estimated wait in the queue; only while `queued`, and once starts have been measured. */
  expectedWaitMs?: number
  /** The current slow step in words for a person, if the runtime reports one. */
  detail?: string
}

/**
 * How Mosaic reaches a running agent. The token grants full power over the agent and must never leave
 * Mosaic.
 */
export interface GatewayAccess {
  /** `http://host:port`, without a trailing slash. */
  url: string
  token: string
}

/** A stop in flight, and the state wanted afterwards: a restart wants the agent back. */
export interface Stop {
  desired: DesiredState
  done: Promise<void>
}

/** An agent as its owner sees it. Times are ISO 8601 in UTC. */
export interface AgentView {
  /** `running` means that it answers the next message at once. */
  status: AgentState
  /** Whether it answers the next message at once. */
  awake: boolean
  /** Why it does not run, if there is a problem. */
  reason?: FailureReason
  /** The reason as a sentence, and the next step. */
  message?: string
  hint?: string
  desired: DesiredState
  /** The runtime driver, or null before the first start. */
  runtime: string | null
  lastActiveAt: string | null
  startedAt: string | null
  /** When it stops unless used; only while it runs and no request is in flight. */
  idleStopAt?: string
  /** Place in the start queue, from 1, and the estimated wait there. */
  queuePosition?: number
  expectedWaitMs?: number
  /** Before this time only an explicit start tries again. */
  retryAt?: string
}

/**
 * How new settings reached an agent: not at all, because its document did not change (`unchanged`), it
 * was `asleep` and gets them at its next wake, or it has `no_provider`; while it ran (`applied`); or by
 * a restart, reported when the wait for it begins and when it is done.
 */
export type SettingsOutcome =
  'unchanged' | 'asleep' | 'no_provider' | 'applied' | 'restarting' | 'restarted' | 'failed'

/** An event for an agent's subscribers. */
export type AgentEvent =
  | { type: 'progress'; progress: WakeProgress }
  | { type: 'status'; agent: AgentView }
  | { type: 'settings'; outcome: SettingsOutcome }

/** An agent's row at one moment. `startedAt` in milliseconds of the epoch. */
export interface AgentMoment {
  status: AgentStatus
  startedAt: number | null
}

/** A change that this process wrote to an agent's row: the values before, and the row after. */
export interface AgentTransition {
  agent: AgentKey
  before: AgentMoment
  row: AgentRow
}

/**
 * How prewarming an agent ended: `prewarmed`; unnecessary, because it is `warm`, `chatting` or
 * `asleep`; `interrupted` by a stop; or `failed`.
 */
export const PREWARM_OUTCOMES = [
  'prewarmed',
  'warm',
  'chatting',
  'asleep',
  'interrupted',
  'failed',
] as const
export type PrewarmOutcome = (typeof PREWARM_OUTCOMES)[number]

/** How a wake ended: `ready`, or with a failure reason. */
export type WakeOutcome = 'ready' | FailureReason

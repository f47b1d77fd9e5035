import type UserContainer from '#models/user_container'
import type SystemContainer from '#models/system_container'
import type { AgentStatus, DesiredState } from '#models/types'
import type { FailureReason } from '#runtimes/errors'

/** The row of an agent, a user's or the system's. */
export type AgentRow = UserContainer | SystemContainer

/** Names an agent by its owner: `user/<user id>`, or `system/<system container id>`. */
export type AgentKey = `user/${string}` | `system/${string}`

/** Where a wake is. `queued` waits at the start gate, `ready` is the end. */
export const WAKE_STAGES = ['queued', 'provisioning', 'starting', 'booting', 'ready'] as const
export type WakeStage = (typeof WAKE_STAGES)[number]

/**
 * What an agent is woken for: a `message` to it, a `person` who came or pressed a button, a `restart` with
 * new settings, its own `schedule`, or `upkeep` of what should always run. The last two are nobody's use of it.
 */
export const WAKE_REASONS = ['message', 'person', 'restart', 'schedule', 'upkeep'] as const
export type WakeReason = (typeof WAKE_REASONS)[number]

/** One step of a wake, as the page and the API show it. Times in milliseconds. */
export interface WakeProgress {
  stage: WakeStage
  /** Since the wake began. */
  elapsedMs: number
  /** How long whole wakes took lately (median), or null before the first. */
  usualMs: number | null
  /** Place in the queue, from 1; only while `queued`. */
  queuePosition?: number
  /** How long it will wait there, about; only while `queued`, and once starts were seen. */
  expectedWaitMs?: number
  /** What takes long just now, in words for a person; only where the runtime tells it. */
  detail?: string
}

/** How Mosaic reaches a running agent. The token is full power over the agent: it leaves Mosaic never. */
export interface GatewayAccess {
  /** `http://host:port`, without a slash at the end. */
  url: string
  token: string
}

/** A stop in flight, and what is wanted once it is done: a restart wants the agent back. */
export interface Stop {
  desired: DesiredState
  done: Promise<void>
}

/** An agent as its owner sees it. Times are ISO 8601 in UTC. */
export interface AgentView {
  status: AgentStatus
  /** Why it does not run, where something is wrong. */
  reason?: FailureReason
  /** The reason as a sentence, and the next step. */
  message?: string
  hint?: string
  desired: DesiredState
  /** The runtime driver, or null before the first start. */
  runtime: string | null
  lastActiveAt: string | null
  startedAt: string | null
  /** When it falls asleep unless someone uses it; only while it runs and nothing is in flight. */
  idleStopAt?: string
  /** Place in the queue of agents that start, from 1, and about how long it will wait there. */
  queuePosition?: number
  expectedWaitMs?: number
  /** Before this time only an explicit start tries again. */
  retryAt?: string
}

/**
 * How new settings reached an agent: not at all, because nothing of it changed (`unchanged`), it was
 * `asleep` and takes them at its next wake, or there is `no_provider`; while it ran (`applied`), or by a
 * restart, which is told when it begins to wait for it and when it is done.
 */
export type SettingsOutcome =
  'unchanged' | 'asleep' | 'no_provider' | 'applied' | 'restarting' | 'restarted' | 'failed'

/** What a subscriber of an agent is told. */
export type AgentEvent =
  | { type: 'progress'; progress: WakeProgress }
  | { type: 'status'; agent: AgentView }
  | { type: 'settings'; outcome: SettingsOutcome }

/** What an agent's row said at one moment. `startedAt` in milliseconds of the epoch. */
export interface AgentMoment {
  status: AgentStatus
  startedAt: number | null
}

/** One change of an agent's row that this process wrote: what it said before, and the row as it is. */
export interface AgentTransition {
  agent: AgentKey
  before: AgentMoment
  row: AgentRow
}

/**
 * How prewarming an agent ended: `primed`; not needed, because it is `warm`, `chatting` or `asleep`;
 * `interrupted` by a stop; or `failed`.
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

/** Why a wake ended: in an answer, or for one of the reasons. */
export type WakeOutcome = 'ready' | FailureReason

import { WakeAbandoned, WakeCancelled } from '#agents/state/wake'
import { isDatabaseAway } from '#exceptions/database_away'
import { E_NO_PROVIDER } from '#openclaw/errors'
import { isFailureReason, isRuntimeError, type FailureReason } from '#runtimes/errors'

/** What the owner reads when an agent does not run. */
export interface ReasonText {
  message: string
  /** The next step. */
  help: string
}

const ASK_ADMIN = 'Try again in a minute. If it goes on, tell an admin.'

/** One sentence and one next step for each reason. */
export const REASONS: Record<FailureReason, ReasonText> = {
  image_missing: {
    message: 'OpenClaw, or the image that contains it, was not found.',
    help: 'Tell an admin: "node ace doctor" says what is missing and how to get it.',
  },
  pull_timeout: {
    message: 'Fetching the image that your agent runs from took too long.',
    help: 'Try again: what was fetched so far is kept.',
  },
  engine_unreachable: {
    message: 'The runtime that agents run in does not answer.',
    help: ASK_ADMIN,
  },
  no_capacity: {
    message: 'No machine can take your agent just now.',
    help: 'Try again in a few minutes. If it goes on, tell an admin: a disk or the memory may be full, or the machine with its data is closed for maintenance.',
  },
  boot_timeout: {
    message: 'Your agent took too long to start.',
    help: 'Try again. If many agents start at once, the next try is usually quicker.',
  },
  exited_early: {
    message: 'Your agent stopped by itself.',
    help: 'Start it again. If it goes on, tell an admin: its log says why.',
  },
  out_of_memory: {
    message: 'Your agent ran out of memory.',
    help: 'Start it again. An admin can give agents more memory under Administration → Runtime.',
  },
  config_rejected: {
    message: 'Your agent did not accept its settings.',
    help: 'Check the models of your providers under Settings → Providers, then start it again.',
  },
  no_provider: {
    message: 'Your agent has no LLM provider that it may use.',
    help: 'Add a provider with at least one model under Settings → Providers.',
  },
  data_stranded: {
    message: 'Your agent cannot take its data along to where agents run now.',
    help: 'Nothing of it is lost. Tell an admin: it starts again where it ran before.',
  },
  not_isolated: {
    message: 'This machine cannot isolate the agents of different people, so yours did not start.',
    help: 'Tell an admin: "node ace doctor" says what the machine lacks, and docs/runtimes.md how to accept it.',
  },
  database_away: {
    message: 'The database that Mosaic keeps everything in does not answer.',
    help: 'Try again in a moment. If it goes on, tell an admin.',
  },
  cancelled: {
    message: 'The start of your agent was cancelled.',
    help: 'Start it again whenever you like.',
  },
  internal: {
    message: 'Mosaic could not start or stop your agent.',
    help: ASK_ADMIN,
  },
}

/** Whether the text of a row's `status_reason` is a known reason. */
export function isReason(text: string | null): text is FailureReason {
  return isFailureReason(text)
}

/** Reasons that the owner caused and can undo. They are not defects. */
export const OF_THE_OWNER: ReadonlySet<FailureReason> = new Set(['no_provider', 'cancelled'])

/**
 * Reasons that waiting does not fix: the owner or an admin must act, and the agent should then start at
 * once.
 */
export const WITHOUT_BACK_OFF: ReadonlySet<FailureReason> = new Set([
  ...OF_THE_OWNER,
  'data_stranded',
  'not_isolated',
])

/** Maps an error of a start or stop to its reason. */
export function reasonOf(error: unknown): FailureReason {
  if (isRuntimeError(error)) return error.reason
  if (error instanceof E_NO_PROVIDER) return 'no_provider'
  if (error instanceof WakeCancelled || error instanceof WakeAbandoned) return 'cancelled'
  if (isDatabaseAway(error)) return 'database_away'
  return 'internal'
}

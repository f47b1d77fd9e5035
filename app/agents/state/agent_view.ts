import { isCrashLoop } from '#agents/state/retry_policy'
import { isReason, REASONS } from '#agents/state/failure_reasons'
import { isUp } from '#agents/state/agent_repository'
import type { AgentRow, AgentView, Stop } from '#agents/types'
import type { Wake } from '#agents/state/wake'
import { stateOf, type WakePolicy } from '#models/types'
import UserContainer from '#models/user_container'

const MINUTE_MS = 60_000
const CRASH_LOOP_HINT =
  'It crashed several times in a row, so it starts only when you ask for it. Its crash log may show the cause.'

/** Input of a view besides the row. */
export interface ViewInput {
  row: AgentRow | null
  wake: Pick<Wake, 'progress'> | null
  stop: Pick<Stop, 'desired'> | null
  /** Whether it is being prewarmed. */
  prewarming: boolean
  inFlight: number
  /** As this process knows it; the row may lag a few seconds behind. */
  lastActiveAt: number | null
  /** The policy of agents whose owner has not chosen one. */
  policy: WakePolicy
}

/** Returns an agent as its owner sees it. A wake in flight is more recent than the row. */
export function agentView(input: ViewInput): AgentView {
  const view = stateView(input)
  return { ...view, awake: view.status === 'running' }
}

function stateView(input: ViewInput): Omit<AgentView, 'awake'> {
  const { row, wake, stop, prewarming, inFlight, lastActiveAt, policy } = input
  const active = Math.max(row?.lastActiveAt?.toMillis() ?? 0, lastActiveAt ?? 0)
  const ending = row !== null && isUp(row) ? stop : null
  const view: Omit<AgentView, 'awake'> = {
    status: ending ? 'stopping' : stateOf(row?.status ?? 'stopped'),
    desired: (ending ?? row)?.desired ?? 'stopped',
    runtime: row?.runtime ?? null,
    lastActiveAt: active > 0 ? iso(active) : null,
    startedAt: row?.startedAt ? iso(row.startedAt.toMillis()) : null,
  }
  if (wake && !ending) {
    const { queuePosition, expectedWaitMs } = wake.progress ?? {}
    return {
      ...view,
      status: 'starting',
      desired: 'running',
      ...(queuePosition && { queuePosition }),
      ...(expectedWaitMs !== undefined && { expectedWaitMs }),
    }
  }
  if (!row) return view
  if (view.status === 'running' && prewarming) return { ...view, status: 'starting' }
  const sleeps = row instanceof UserContainer && (row.wakePolicy ?? policy) !== 'always_on'
  if (view.status === 'running' && sleeps && inFlight === 0 && active > 0) {
    view.idleStopAt = iso(active + row.idleTimeoutMin * MINUTE_MS)
  }
  if (isReason(row.statusReason)) {
    const { message, help: hint } = REASONS[row.statusReason]
    Object.assign(view, { reason: row.statusReason, message, hint })
    if (row.status === 'error' && isCrashLoop(row)) view.hint = CRASH_LOOP_HINT
  }
  if (row.status === 'error' && row.retryAt) view.retryAt = iso(row.retryAt.toMillis())
  return view
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

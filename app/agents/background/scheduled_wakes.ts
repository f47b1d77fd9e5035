import { DateTime } from 'luxon'
import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import { WITHOUT_BACK_OFF } from '#agents/state/failure_reasons'
import type { AgentKey, WakeReason } from '#agents/types'
import UserContainer from '#models/user_container'

/** How long an agent that its owner or an admin must help is left alone, in milliseconds. */
const HELPLESS_MS = 5 * 60_000

/** As `AgentLifecycle`. */
export interface AgentWakes {
  ensureRunning(agent: AgentKey, options: { reason: WakeReason }): Promise<unknown>
}

export interface ScheduledWakesStatistics {
  /** Stopped agents with a job due soon, apart from those that only a person can help. */
  due: number
  woken: number
  /** Agents that are waiting after a failure, or handled by another replica. */
  skipped: number
  failed: number
  durationMs: number
}

/**
 * Wakes stopped agents shortly before their next job. OpenClaw postpones a job that is already overdue
 * when its gateway starts, and does so at every start. Such a wake does not count as use, so the agent
 * stops again after the job.
 */
export class ScheduledWakes {
  /** Agents that only a person can help, and until when no job of theirs wakes them, on the monotonic clock. */
  readonly #helpless = new Map<AgentKey, number>()

  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>,
    protected lifecycle: AgentWakes
  ) {}

  /** Runs one query, then wakes all agents at once: the start gate queues them. Safe to run concurrently. */
  async wakeDue(): Promise<ScheduledWakesStatistics> {
    const { clock } = this.context
    const beganAt = clock.elapsed()
    const agents = await this.#due()
    const counts = { woken: 0, skipped: 0, failed: 0 }
    await Promise.all(agents.map(async (agent) => void counts[await this.#wake(agent)]++))
    return { due: agents.length, ...counts, durationMs: clock.elapsed() - beganAt }
  }

  async #due(): Promise<AgentKey[]> {
    const { clock, settings } = this.context
    const aheadSec = await settings.get('agents.wakeAheadSec')
    const horizon = DateTime.fromMillis(clock.now()).plus({ seconds: aheadSec })
    const query = UserContainer.query().select('user_id')
    const rows = await query
      .whereIn('status', ['stopped', 'suspended', 'error'])
      .where('next_job_at', '<=', horizon.toFormat(query.client.dialect.dateTimeFormat))
      .whereHas('user', (owner) => owner.whereNull('deactivated_at'))
    for (const [agent, until] of this.#helpless) {
      if (clock.elapsed() >= until) this.#helpless.delete(agent)
    }
    return rows
      .map((row) => `user/${row.userId}` as const)
      .filter((agent) => !this.#helpless.has(agent))
  }

  async #wake(agent: AgentKey): Promise<'woken' | 'skipped' | 'failed'> {
    try {
      await this.lifecycle.ensureRunning(agent, { reason: 'schedule' })
      return 'woken'
    } catch (error) {
      if (error instanceof AgentUnavailable) {
        if (WITHOUT_BACK_OFF.has(error.reason)) {
          this.#helpless.set(agent, this.context.clock.elapsed() + HELPLESS_MS)
        }
        return 'skipped'
      }
      this.context.logger.warn({ err: error, agent }, 'Could not wake an agent for its schedule')
      return 'failed'
    }
  }
}

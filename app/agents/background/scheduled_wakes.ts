import { DateTime } from 'luxon'
import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import type { AgentKey, WakeReason } from '#agents/types'
import UserContainer from '#models/user_container'

/** As `AgentLifecycle`. */
export interface AgentWakes {
  ensureRunning(agent: AgentKey, options: { reason: WakeReason }): Promise<unknown>
}

export interface ScheduledWakesStatistics {
  /** Agents that sleep and are wanted soon by their own schedule. */
  due: number
  woken: number
  /** Waiting after a failure, or taken over by someone else. */
  skipped: number
  failed: number
  durationMs: number
}

/**
 * Wakes sleeping agents ahead of what they have planned: a job that is overdue when its gateway starts is
 * put off by OpenClaw, again at each start. Nobody uses the agent by that, so it sleeps again once the job
 * is done.
 */
export class ScheduledWakes {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>,
    protected lifecycle: AgentWakes
  ) {}

  /** One query, then all at once: the start gate lines them up. Safe to run from several places at once. */
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
    return rows.map((row) => `user/${row.userId}` as const)
  }

  async #wake(agent: AgentKey): Promise<'woken' | 'skipped' | 'failed'> {
    try {
      await this.lifecycle.ensureRunning(agent, { reason: 'schedule' })
      return 'woken'
    } catch (error) {
      if (error instanceof AgentUnavailable) return 'skipped'
      this.context.logger.warn({ err: error, agent }, 'Could not wake an agent for its schedule')
      return 'failed'
    }
  }
}

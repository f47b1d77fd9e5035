import { DateTime } from 'luxon'
import type { BackgroundWakes } from '#agents/waking/background_wakes'
import type { AgentsContext } from '#agents/context'
import { WITHOUT_BACK_OFF } from '#agents/state/failure_reasons'
import { MOST_CRASHES } from '#agents/state/retry_policy'
import type { AgentKey } from '#agents/types'
import UserContainer from '#models/user_container'

/** How long an agent that its owner or an admin must help is left alone, in milliseconds. */
const HELPLESS_MS = 5 * 60_000

export interface ScheduledWakesStatistics {
  /** Stopped agents with a job due soon, apart from those that only a person can help. */
  due: number
  /** Wakes begun. The others' are under way. */
  begun: number
  durationMs: number
}

/**
 * Wakes stopped agents shortly before their next job. OpenClaw postpones a job that is already overdue
 * when its gateway starts, and does so at every start. Such a wake does not count as use, so the agent
 * stops again after the job.
 */
export class ScheduledWakes {
  /** Agents whose failure reason is in `WITHOUT_BACK_OFF`, and until when no job wakes them, on the monotonic clock. */
  readonly #helpless = new Map<AgentKey, number>()

  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'settings'>,
    protected wakes: Pick<BackgroundWakes, 'begin'>
  ) {}

  /**
   * Runs one query, then begins all wakes at once: the start gate queues them. Waits for none. Safe to run
   * concurrently.
   */
  async wakeDue(): Promise<ScheduledWakesStatistics> {
    const { clock } = this.context
    const beganAt = clock.elapsed()
    const agents = await this.#due()
    const begun = agents.filter((agent) => this.#wake(agent))
    return { due: agents.length, begun: begun.length, durationMs: clock.elapsed() - beganAt }
  }

  async #due(): Promise<AgentKey[]> {
    const { clock, settings } = this.context
    const aheadSec = await settings.get('agents.wakeAheadSec')
    const horizon = DateTime.fromMillis(clock.now()).plus({ seconds: aheadSec })
    const query = UserContainer.query().select('user_id')
    const rows = await query
      .whereIn('status', ['stopped', 'suspended', 'error'])
      .where('crash_count', '<', MOST_CRASHES)
      .where('next_job_at', '<=', horizon.toFormat(query.client.dialect.dateTimeFormat))
      .whereHas('user', (owner) => owner.whereNull('deactivated_at'))
    for (const [agent, until] of this.#helpless) {
      if (clock.elapsed() >= until) this.#helpless.delete(agent)
    }
    return rows
      .map((row) => `user/${row.userId}` as const)
      .filter((agent) => !this.#helpless.has(agent))
  }

  /** Returns false if a wake is under way. */
  #wake(agent: AgentKey): boolean {
    const wake = this.wakes.begin(agent, 'schedule')
    void wake?.then(({ reason }) => {
      if (!reason || !WITHOUT_BACK_OFF.has(reason)) return
      this.#helpless.set(agent, this.context.clock.elapsed() + HELPLESS_MS)
    })
    return wake !== null
  }
}

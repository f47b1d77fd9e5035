import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { AgentActivity } from '#agents/activity'
import { inParallel } from '#agents/in_parallel'
import type { AgentsContext } from '#agents/context'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentMetrics } from '#agents/metrics'
import type { AgentKey, AgentRow } from '#agents/types'
import UserContainer from '#models/user_container'

const MINUTE_MS = 60_000
/** No agent sleeps sooner; it bounds the stretch of the index that the query walks. */
const SHORTEST_TIMEOUT_MIN = 1
/** An idle gateway ends within a second, so a few at once are enough. */
const CONCURRENCY = 8

export interface ReapStatistics {
  /** Agents whose time was over when the sweep began. */
  candidates: number
  stopped: number
  /** Used again meanwhile, or being changed by someone else. */
  skipped: number
  failed: number
  durationMs: number
}

/** Whether an agent may be put to sleep, by its row as it is under the lease. */
type IsOver = (agent: AgentKey, row: AgentRow) => boolean

/** When the last act lies so far back that the agent sleeps, in both dialects' own arithmetic. */
const IS_OVER: Record<string, string> = {
  sqlite: 'unixepoch(last_active_at) + idle_timeout_min * 60 <= unixepoch(?)',
  postgres: `last_active_at + idle_timeout_min * interval '1 minute' <= ?`,
}

/** Puts agents to sleep that nobody has used for longer than their limit. */
export class AgentReaper {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger'>,
    protected lifecycle: AgentLifecycle,
    protected activity: AgentActivity,
    protected metrics: AgentMetrics
  ) {}

  /** Select, then for each: lease, check again, drain, stop. Safe to run from several places at once. */
  async reapIdle(): Promise<ReapStatistics> {
    return this.#sweep(
      () => this.candidates(),
      (agent, row) => this.#isOver(agent, row)
    )
  }

  /** Puts every user's agent that runs to sleep, whatever its limit; those at work here are skipped. */
  async reapAll(): Promise<ReapStatistics> {
    return this.#sweep(
      () => this.#running(),
      () => true
    )
  }

  async #sweep(select: () => Promise<AgentKey[]>, isOver: IsOver): Promise<ReapStatistics> {
    const { clock } = this.context
    const beganAt = clock.now()
    const agents = await select()
    const statistics = {
      candidates: agents.length,
      stopped: 0,
      skipped: 0,
      failed: 0,
      durationMs: 0,
    }
    await inParallel(agents, CONCURRENCY, async (agent) => {
      statistics[await this.#reap(agent, isOver)]++
    })
    this.metrics.reaped(statistics.stopped)
    return { ...statistics, durationMs: clock.now() - beganAt }
  }

  async #running(): Promise<AgentKey[]> {
    const rows = await UserContainer.query().select('user_id').where('status', 'running')
    return rows.map((row) => `user/${row.userId}` as const)
  }

  /** Users' agents that run and whose time is over: one query, along the index of status and time. */
  async candidates(): Promise<AgentKey[]> {
    const connection = db.connection()
    const { dateTimeFormat, name } = connection.dialect
    const now = DateTime.fromMillis(this.context.clock.now())
    const earliest = now.minus({ minutes: SHORTEST_TIMEOUT_MIN })
    const rows: { user_id: string }[] = await connection
      .from(UserContainer.table)
      .select('user_id')
      .where('status', 'running')
      .where('last_active_at', '<=', earliest.toFormat(dateTimeFormat))
      .whereRaw(IS_OVER[name === 'postgres' ? 'postgres' : 'sqlite'], [
        now.toFormat(dateTimeFormat),
      ])
    return rows.map((row) => `user/${row.user_id}` as const)
  }

  async #reap(agent: AgentKey, isOver: IsOver): Promise<'stopped' | 'skipped' | 'failed'> {
    try {
      const stopped = await this.lifecycle.stopIfIdle(agent, (row) => isOver(agent, row))
      return stopped ? 'stopped' : 'skipped'
    } catch (error) {
      this.context.logger.warn({ err: error, agent }, 'Could not put an idle agent to sleep')
      return 'failed'
    }
  }

  /** The row may be some seconds behind what this process knows. */
  #isOver(agent: AgentKey, row: AgentRow): boolean {
    if (!(row instanceof UserContainer)) return false
    const active = Math.max(
      row.lastActiveAt?.toMillis() ?? 0,
      this.activity.lastActiveAt(agent) ?? 0
    )
    return active + row.idleTimeoutMin * MINUTE_MS <= this.context.clock.now()
  }
}

import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { AgentActivity } from '#agents/state/activity'
import { inParallel } from '#timing/in_parallel'
import type { AgentsContext } from '#agents/context'
import type { AgentMetrics } from '#agents/metrics'
import type { IdleStopOutcome, IdleStopper, IdleStopWish } from '#agents/stopping/idle_stopper'
import type { AgentKey, AgentRow } from '#agents/types'
import type { AgentStatus, WakePolicy } from '#models/types'
import UserContainer from '#models/user_container'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** What can be put to sleep. */
const AWAKE: AgentStatus[] = ['running', 'suspended']
/** No agent sleeps sooner; it bounds the stretch of the index that the query walks. */
const SHORTEST_TIMEOUT_MIN = 1
/** The clocks of machines that share a database differ by less. */
const CLOCKS_DIFFER_MIN = 1
/** An idle gateway ends within a second, so a few at once are enough. */
const CONCURRENCY = 8

export interface ReapStatistics {
  /** Agents whose time was over when the sweep began. */
  candidates: number
  stopped: number
  /** Warm ones, which are stopped later. */
  suspended: number
  /** At work by themselves, or wanted soon by their schedule: they stay awake. */
  working: number
  /** Used again meanwhile, being changed by someone else, or silent for now. */
  skipped: number
  failed: number
  durationMs: number
}

/** How the settings have agents sleep. Times in milliseconds. */
interface SleepRules {
  policy: WakePolicy
  suspendedMs: number
  maximumAgeMs: number
}

/** How an agent may be put to sleep, by its row as it is under the lease; null = it may not. */
type Wish = (agent: AgentKey, row: AgentRow) => IdleStopWish | null

/** When the last act lies so far back that the agent sleeps, in both dialects' own arithmetic. */
const IS_OVER: Record<string, string> = {
  sqlite: `unixepoch(last_active_at)
    + (idle_timeout_min + case status when 'suspended' then ? else 0 end) * 60 <= unixepoch(?)`,
  postgres: `last_active_at
    + (idle_timeout_min + case status when 'suspended' then ? else 0 end) * interval '1 minute' <= ?`,
}

const COUNTED_AS: Record<IdleStopOutcome, 'stopped' | 'suspended' | 'working' | 'skipped'> = {
  stopped: 'stopped',
  suspended: 'suspended',
  working: 'working',
  due: 'working',
  used: 'skipped',
  changing: 'skipped',
  silent: 'skipped',
}

/** Puts agents to sleep that nobody has used for longer than their limit. */
export class AgentReaper {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>,
    protected idleStopper: IdleStopper,
    protected activity: AgentActivity,
    protected metrics: AgentMetrics
  ) {}

  /** Selects the idle, then for each takes the lease, checks again, drains and stops. Safe to run concurrently. */
  async reapIdle(): Promise<ReapStatistics> {
    const rules = await this.#rules()
    await this.#leaveFuture()
    return this.#sweep(
      () => this.#select(rules),
      (agent, row) => this.#wish(agent, row, rules)
    )
  }

  /** Stops every user's agent that is up, whatever its limit and its own work; those in use are skipped. */
  async reapAll(): Promise<ReapStatistics> {
    return this.#sweep(
      () => this.#up(),
      (_, { status }) =>
        AWAKE.includes(status) ? { kind: 'stop', despite: ['working', 'due', 'silent'] } : null
    )
  }

  /** Users' agents whose time is over: one query, along the index of status and time. */
  async candidates(): Promise<AgentKey[]> {
    return this.#select(await this.#rules())
  }

  async #sweep(select: () => Promise<AgentKey[]>, wish: Wish): Promise<ReapStatistics> {
    const { clock } = this.context
    const beganAt = clock.elapsed()
    const agents = await select()
    const counts = { stopped: 0, suspended: 0, working: 0, skipped: 0, failed: 0 }
    await inParallel(agents, CONCURRENCY, async (agent) => {
      counts[await this.#reap(agent, wish)]++
    })
    this.metrics.reaped(counts)
    return { candidates: agents.length, ...counts, durationMs: clock.elapsed() - beganAt }
  }

  async #up(): Promise<AgentKey[]> {
    const rows = await UserContainer.query().select('user_id').whereIn('status', AWAKE)
    return rows.map((row) => `user/${row.userId}` as const)
  }

  async #select({ policy, suspendedMs }: SleepRules): Promise<AgentKey[]> {
    const connection = db.connection()
    const { dateTimeFormat, name } = connection.dialect
    const now = DateTime.fromMillis(this.context.clock.now())
    const earliest = now.minus({ minutes: SHORTEST_TIMEOUT_MIN })
    const rows: { user_id: string }[] = await connection
      .from(UserContainer.table)
      .select('user_id')
      .whereIn('status', AWAKE)
      .where('last_active_at', '<=', earliest.toFormat(dateTimeFormat))
      .whereRaw(`coalesce(wake_policy, ?) <> 'always_on'`, [policy])
      .whereRaw(IS_OVER[name === 'postgres' ? 'postgres' : 'sqlite'], [
        suspendedMs / MINUTE_MS,
        now.toFormat(dateTimeFormat),
      ])
    return rows.map((row) => `user/${row.user_id}` as const)
  }

  /** An activity in the future means that the clock was set back: the idle time restarts. */
  async #leaveFuture(): Promise<void> {
    const { dateTimeFormat } = db.connection().dialect
    const now = DateTime.fromMillis(this.context.clock.now())
    await db
      .from(UserContainer.table)
      .whereIn('status', AWAKE)
      .where(
        'last_active_at',
        '>',
        now.plus({ minutes: CLOCKS_DIFFER_MIN }).toFormat(dateTimeFormat)
      )
      .update({ last_active_at: now.toFormat(dateTimeFormat) })
  }

  async #rules(): Promise<SleepRules> {
    const { settings } = this.context
    return {
      policy: await settings.get('agents.wakePolicy'),
      suspendedMs: (await settings.get('agents.suspendedMin')) * MINUTE_MS,
      maximumAgeMs: (await settings.get('agents.maximumAgeHours')) * HOUR_MS,
    }
  }

  async #reap(agent: AgentKey, wish: Wish) {
    try {
      const outcome = await this.idleStopper.stop(agent, (row) => wish(agent, row))
      return COUNTED_AS[outcome]
    } catch (error) {
      this.context.logger.warn({ err: error, agent }, 'Could not put an idle agent to sleep')
      return 'failed'
    }
  }

  /** The row may be some seconds behind what this process knows. */
  #wish(agent: AgentKey, row: AgentRow, rules: SleepRules): IdleStopWish | null {
    if (!(row instanceof UserContainer)) return null
    const policy = row.wakePolicy ?? rules.policy
    const frozen = row.status === 'suspended'
    if (policy === 'always_on' || (!frozen && row.status !== 'running')) return null

    const active = this.activity.lastActiveAt(agent) ?? 0
    const idleMs = this.context.clock.now() - Math.max(row.lastActiveAt?.toMillis() ?? 0, active)
    const limitMs = row.idleTimeoutMin * MINUTE_MS
    if (idleMs < limitMs + (frozen ? rules.suspendedMs : 0)) return null
    return {
      kind: policy === 'warm' ? 'suspend' : 'stop',
      despite: [
        ...(idleMs >= rules.maximumAgeMs ? (['working'] as const) : []),
        /** It had the whole time once more to answer again. */
        ...(idleMs >= 2 * limitMs ? (['silent'] as const) : []),
      ],
    }
  }
}

import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { AgentActivity } from '#agents/state/activity'
import { inParallel } from '#timing/in_parallel'
import type { AgentsContext } from '#agents/context'
import type { AgentMetrics } from '#agents/metrics'
import type { IdleStopOutcome, IdleStopper, IdleStopWish } from '#agents/stopping/idle_stopper'
import type { AgentKey, AgentRow } from '#agents/types'
import { restRules } from '#agents/background/rest_rules'
import { expectedAtOf } from '#agents/background/usual_hours'
import type { AgentStatus, RestMode, WakePolicy } from '#models/types'
import UserContainer from '#models/user_container'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Statuses that an idle stop applies to. */
const AWAKE: AgentStatus[] = ['running', 'suspended']
/** Statuses that `reapAll` cannot stop yet. It counts them as skipped. */
const CHANGING: AgentStatus[] = ['starting', 'stopping']
/** The shortest idle limit. It bounds the index range that the query scans. */
const SHORTEST_TIMEOUT_MIN = 1
/** Upper bound for clock skew between machines that share a database. */
const CLOCKS_DIFFER_MIN = 1
/** An idle gateway exits within a second, so a few at a time are enough. */
const CONCURRENCY = 8

export interface ReapStatistics {
  /** Agents that the sweep selected. */
  candidates: number
  stopped: number
  /** Agents with the `warm` policy. They are stopped later. */
  suspended: number
  /** Agents that are working or have a job due soon. They keep running. */
  working: number
  /** Agents that were used meanwhile, are being changed, or do not answer. */
  skipped: number
  failed: number
  durationMs: number
}

/** The idle rules from the settings. Times in milliseconds. */
interface SleepRules {
  policy: WakePolicy
  /** How long agents with the policy `warm` stay suspended, beyond their idle limit. */
  suspendedMs: number
  /** The same for all other agents. */
  restedMs: number
  rest: RestMode
  maximumAgeMs: number
}

export interface ReapOptions {
  /** Spares agents that rest under the setting `agents.rest`, up to its longest time. */
  keepResting?: boolean
}

/** Decides how an agent may be stopped, from its row as read under the lease; null = it may not. */
type Wish = (agent: AgentKey, row: AgentRow) => IdleStopWish | null

/** True once the last activity exceeds the idle limit, in each dialect's date arithmetic. */
const SUSPENDED_MIN = `case when status <> 'suspended' then 0
  when coalesce(wake_policy, ?) = 'warm' then ? else ? end`
const IS_OVER: Record<string, string> = {
  sqlite: `unixepoch(last_active_at) + (idle_timeout_min + ${SUSPENDED_MIN}) * 60 <= unixepoch(?)`,
  postgres: `last_active_at + (idle_timeout_min + ${SUSPENDED_MIN}) * interval '1 minute' <= ?`,
}

const COUNTED_AS: Record<IdleStopOutcome, 'stopped' | 'suspended' | 'working' | 'skipped'> = {
  stopped: 'stopped',
  suspended: 'suspended',
  working: 'working',
  due: 'working',
  kept: 'skipped',
  used: 'skipped',
  changing: 'skipped',
  silent: 'skipped',
}

/** Stops or suspends agents that have been idle longer than their limit. */
export class AgentReaper {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger' | 'settings'>,
    protected idleStopper: IdleStopper,
    protected activity: AgentActivity,
    protected metrics: AgentMetrics
  ) {}

  /** Selects idle agents; takes each lease, checks again, drains and stops. Safe to run concurrently. */
  async reapIdle(options: ReapOptions = {}): Promise<ReapStatistics> {
    const rules = await this.#rules(options)
    await this.#leaveFuture()
    return this.#sweep(
      () => this.#select(rules),
      (agent, row) => this.#wish(agent, row, rules)
    )
  }

  /** Stops all running user agents, whatever their limit or their own work. Skips those in use or being changed. */
  async reapAll(): Promise<ReapStatistics> {
    return this.#sweep(
      () => this.#up(),
      (_, { status }) =>
        AWAKE.includes(status) ? { kind: 'stop', despite: ['working', 'due', 'silent'] } : null
    )
  }

  /** User agents past their idle limit: one query, along the index on status and time. */
  async candidates(): Promise<AgentKey[]> {
    return this.#select(await this.#rules({}))
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
    const up = [...AWAKE, ...CHANGING]
    const rows = await UserContainer.query().select('user_id').whereIn('status', up)
    return rows.map((row) => `user/${row.userId}` as const)
  }

  async #select({ policy, suspendedMs, restedMs }: SleepRules): Promise<AgentKey[]> {
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
        policy,
        suspendedMs / MINUTE_MS,
        restedMs / MINUTE_MS,
        now.toFormat(dateTimeFormat),
      ])
    return rows.map((row) => `user/${row.user_id}` as const)
  }

  /** Activity in the future means that the clock was set back: the idle time restarts. */
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

  async #rules({ keepResting = false }: ReapOptions): Promise<SleepRules> {
    const { settings } = this.context
    const { mode, policy, longestMs } = await restRules(settings)
    /** A requested sweep ends rests, unless resting is set to `on`. */
    const rest = mode === 'on' || keepResting ? mode : 'off'
    return {
      policy,
      suspendedMs: (await settings.get('agents.suspendedMin')) * MINUTE_MS,
      restedMs: rest === 'off' ? 0 : longestMs,
      /** With `keepResting`, the rester has already suspended every agent that may rest. */
      rest: keepResting ? 'off' : rest,
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

  /** The row may lag a few seconds behind this process. */
  #wish(agent: AgentKey, row: AgentRow, rules: SleepRules): IdleStopWish | null {
    if (!(row instanceof UserContainer)) return null
    const policy = row.wakePolicy ?? rules.policy
    const frozen = row.status === 'suspended'
    if (policy === 'always_on' || (!frozen && row.status !== 'running')) return null

    const active = this.activity.lastActiveAt(agent) ?? 0
    /** An agent that resumed ahead of its owner has until then to rest again. */
    const now = this.context.clock.now()
    const expected = frozen ? 0 : expectedAtOf(row, now)
    const latest = Math.max(row.lastActiveAt?.toMillis() ?? 0, active, expected)
    const idleMs = now - latest
    const limitMs = row.idleTimeoutMin * MINUTE_MS
    const suspendedMs = policy === 'warm' ? rules.suspendedMs : rules.restedMs
    if (idleMs < limitMs + (frozen ? suspendedMs : 0)) return null
    return {
      kind: policy === 'warm' || rules.rest === 'on' ? 'suspend' : 'stop',
      despite: [
        ...(idleMs >= rules.maximumAgeMs ? (['working'] as const) : []),
        /** It has had a second full idle limit in which to answer. */
        ...(idleMs >= 2 * limitMs ? (['silent'] as const) : []),
      ],
    }
  }
}

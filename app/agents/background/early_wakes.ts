import { availableParallelism } from 'node:os'
import { DateTime } from 'luxon'
import type { BackgroundWakes, WakeEnd } from '#agents/waking/background_wakes'
import {
  AHEAD_MS,
  expectedAtOf,
  hourOf,
  isUsual,
  withUse,
  type DaysOfUse,
} from '#agents/background/usual_hours'
import type { AgentsContext } from '#agents/context'
import { agentOf } from '#agents/state/agent_repository'
import { hasCode } from '#drivers/error_code'
import { AGENT_STATUSES } from '#models/types'
import UserAgentConfig from '#models/user_agent_config'
import UserContainer from '#models/user_container'
import { within } from '#timing/deadline'
import { inParallel } from '#timing/in_parallel'

/** Use within this time before a sweep is noted. Longer than the interval of sweeps. */
const RECENT_MS = 3 * 60_000
/** Agents that resume at a time: each takes its memory back from swap. */
const CONCURRENCY = availableParallelism()
/** How long the next agent waits for one that resumes, in milliseconds. Most take a second or two. */
const TURN_MS = 10_000

export interface EarlyWakesStatistics {
  /** Agents in use whose hours were noted. */
  noted: number
  /** Resting agents that resumed ahead of a usual hour. */
  woken: number
  failed: number
  /** Agents whose wake goes on beyond their turn. */
  late: number
}

/**
 * Learns at which hours people use their agents, and resumes resting agents ahead of them. Such a wake does not
 * count as use: without any, the agent rests again. The hours are sealed, serve nothing else, and are forgotten
 * when their owner turns this off.
 */
export class EarlyWakes {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger'>,
    protected wakes: Pick<BackgroundWakes, 'begin'>,
    /** As `AgentRester`. */
    protected rester: { readonly overview: { room: number | null } | null }
  ) {}

  /** Runs one sweep. Safe to run concurrently. */
  async sweep(): Promise<EarlyWakesStatistics> {
    return { noted: await this.#note(), ...(await this.#wake()) }
  }

  async #note(): Promise<number> {
    const now = this.context.clock.now()
    const query = this.#ofWilling()
    const since = DateTime.fromMillis(now - RECENT_MS).toFormat(query.client.dialect.dateTimeFormat)
    let noted = 0
    /** Lists every status, so that the database can use the index on status and time. */
    void query.whereIn('status', [...AGENT_STATUSES]).where('last_active_at', '>=', since)
    for (const row of await query) {
      try {
        if (await this.#noteUse(row)) noted++
      } catch (error) {
        this.#failed(row, error)
      }
    }
    return noted
  }

  /** Returns false if the hour is known already. */
  async #noteUse(row: UserContainer): Promise<boolean> {
    const days = withUse(await this.#daysOf(row), row.lastActiveAt!.toMillis())
    if (!days) return false
    await row.seal('daysOfUse', JSON.stringify(days))
    await this.#ofWilling().where('id', row.id).update({ days_of_use: row.daysOfUse })
    return true
  }

  async #wake(): Promise<Omit<EarlyWakesStatistics, 'noted'>> {
    const counts = { woken: 0, failed: 0, late: 0 }
    const now = this.context.clock.now()
    const expected = hourOf(now + AHEAD_MS)
    /** Resumed agents hold memory that resting ones may not have. */
    if (expected <= now || this.rester.overview?.room === 0) return counts
    const resting = await this.#ofWilling().where('status', 'suspended').whereNotNull('days_of_use')
    const fresh = resting.filter((row) => expectedAtOf(row, now) < expected)
    await inParallel(fresh, CONCURRENCY, async (row) => {
      try {
        if (!isUsual(await this.#daysOf(row), expected)) return
        await this.#expect(row, expected)
        const wake = this.wakes.begin(agentOf(row), 'expected')
        if (wake) counts[await this.#ended(wake)]++
      } catch (error) {
        counts.failed++
        this.#failed(row, error)
      }
    })
    return counts
  }

  #failed(row: UserContainer, error: unknown): void {
    const details = { err: error, agent: agentOf(row) }
    this.context.logger.warn(details, 'Could not handle the usual hours of an agent')
  }

  async #ended(wake: Promise<WakeEnd>): Promise<'woken' | 'failed' | 'late'> {
    try {
      const { outcome } = await within(this.context.clock, TURN_MS, undefined, () => wake)
      return outcome === 'woken' ? 'woken' : 'failed'
    } catch {
      return 'late'
    }
  }

  /** Before the wake, so that no sweep lets the agent rest again at once. */
  async #expect(row: UserContainer, at: number): Promise<void> {
    const query = UserContainer.query().where('id', row.id)
    const { dateTimeFormat } = query.client.dialect
    await query.update({ expected_at: DateTime.fromMillis(at).toFormat(dateTimeFormat) })
  }

  #ofWilling() {
    /** `not in` would compare each agent with each of these once they no longer fit into memory. */
    return UserContainer.query().whereNotExists((unwilling) =>
      unwilling
        .from(UserAgentConfig.table)
        .whereColumn('user_agent_configs.user_id', 'user_containers.user_id')
        .where('wake_early', false)
    )
  }

  /** Hours whose key is lost are learnt again. @throws what the vault throws, as E_VAULT_UNREACHABLE */
  async #daysOf(row: UserContainer): Promise<DaysOfUse> {
    const text = await row.open('daysOfUse').catch((error: unknown) => {
      if (hasCode(error, 'E_VAULT_UNKNOWN_KEY', 'E_VAULT_TAMPERED')) return null
      throw error
    })
    return text ? JSON.parse(text) : {}
  }
}

import type { AgentsContext } from '#agents/context'
import { inParallel } from '#timing/in_parallel'
import type { GatewayProbe } from '#agents/instances/gateway_probe'
import type { InstanceObserver } from '#agents/instances/instance_observer'
import { agentOf } from '#agents/state/agent_repository'
import type { AgentRow } from '#agents/types'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'

/** Probes are cheap, but most of the machine belongs to the agents. */
const CONCURRENCY = 16

export interface HealthStatistics {
  checked: number
  healthy: number
  /** Agents that exited unexpectedly. Recorded as crashes; their next message wakes them. */
  crashed: number
  /** Instances whose gateway does not answer. The next message handles them. */
  silent: number
  /** Agents that are being changed, or whose runtime does not answer. */
  skipped: number
  durationMs: number
}

/** Checks running agents, and finds crashes that the driver's events missed. */
export class AgentHealthCheck {
  constructor(
    protected context: Pick<AgentsContext, 'clock' | 'logger'>,
    protected observer: InstanceObserver,
    protected probe: GatewayProbe
  ) {}

  async healthCheckAll(): Promise<HealthStatistics> {
    const { clock } = this.context
    const beganAt = clock.elapsed()
    const rows = [
      ...(await UserContainer.query()
        .select('id', 'user_id', 'endpoint')
        .where('status', 'running')),
      ...(await SystemContainer.query().where('status', 'running')),
    ]
    const statistics = { healthy: 0, crashed: 0, silent: 0, skipped: 0 }
    await inParallel(rows, CONCURRENCY, async (row) => {
      statistics[await this.#check(row)]++
    })
    return { checked: rows.length, ...statistics, durationMs: clock.elapsed() - beganAt }
  }

  async #check(row: AgentRow): Promise<'healthy' | 'crashed' | 'silent' | 'skipped'> {
    const agent = agentOf(row)
    if (this.observer.isBusy(agent)) return 'skipped'
    if (row.endpoint && (await this.probe.isAlive(row.endpoint))) return 'healthy'
    try {
      const found = await this.observer.recheck(agent)
      if (found === 'gone') return 'crashed'
      if (found !== 'running') return 'skipped'
    } catch (error) {
      this.context.logger.warn({ err: error, agent }, 'Could not look after an agent')
      return 'skipped'
    }
    this.observer.forget(agent)
    return 'silent'
  }
}

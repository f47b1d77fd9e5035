import type { AgentsContext } from '#agents/context'
import { inParallel } from '#timing/in_parallel'
import type { GatewayProbe } from '#agents/instances/gateway_probe'
import type { InstanceObserver } from '#agents/instances/instance_observer'
import { agentOf } from '#agents/state/agent_repository'
import type { AgentRow } from '#agents/types'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'

/** Probes are cheap, but the machine is the agents'. */
const CONCURRENCY = 16

export interface HealthStatistics {
  checked: number
  healthy: number
  /** Ended by themselves: noted, and woken by their next message. */
  crashed: number
  /** Their instance is there, but its gateway does not answer: the next message sorts that out. */
  silent: number
  /** Being changed by someone, or their runtime does not answer. */
  skipped: number
  durationMs: number
}

/** Looks after the agents that run. What a driver's events missed is found here. */
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
      ...(await UserContainer.query().where('status', 'running')),
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

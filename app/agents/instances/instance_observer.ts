import type { AgentsContext } from '#agents/context'
import { afterCrash } from '#agents/state/retry_policy'
import { within } from '#timing/deadline'
import type { GatewayProbe } from '#agents/instances/gateway_probe'
import { instanceFailure } from '#agents/instances/instance_failure'
import { HELD, type LeaseManager } from '#agents/leases/lease_manager'
import type { AgentMetrics } from '#agents/metrics'
import type { LocalState } from '#agents/state/local_state'
import { agentOf, instanceRef, isUp, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey, AgentRow } from '#agents/types'
import type { Observed } from '#runtimes/contract'

export interface InstanceObserverParts {
  rows: AgentRepository
  leases: LeaseManager
  local: LocalState
  probe: GatewayProbe
  metrics: AgentMetrics
}

/**
 * `gone` = it should run and does not, `asleep` = it need not run, `busy` = someone is changing it just
 * now, `unknown` = its runtime does not answer.
 */
export type RecheckResult = 'running' | 'gone' | 'asleep' | 'busy' | 'unknown'

/** `unready` = its gateway takes no traffic, `busy` = someone is changing the agent just now. */
export type Adoption = 'adopted' | 'unready' | 'busy'

/** Brings the rows in line with what the runtime shows: the engine is the truth about what runs. */
export class InstanceObserver {
  readonly #context: AgentsContext
  readonly #parts: InstanceObserverParts

  constructor(context: AgentsContext, parts: InstanceObserverParts) {
    this.#context = context
    this.#parts = parts
  }

  /** Whether this process is changing the agent at this moment. */
  isBusy(agent: AgentKey): boolean {
    return this.#parts.local.wakes.has(agent) || this.#parts.leases.isHeld(agent)
  }

  /** The agent of an instance that was up when this process last saw it, or null. */
  agentNamed(instance: string): AgentKey | null {
    return this.#parts.local.names.get(instance) ?? null
  }

  /** Forgets the gateway's address: the next caller looks it up again. */
  forget(agent: AgentKey): void {
    this.#parts.local.warm.delete(agent)
  }

  /** Looks whether an agent that should run does, and notes it as ended if not. */
  async recheck(agent: AgentKey): Promise<RecheckResult> {
    const found = await this.#underFreeLease(agent, async (row) => {
      if (!isUp(row)) return 'asleep'
      const observed = await this.#observe(row).catch(() => undefined)
      if (observed === undefined) return 'unknown'
      if (observed && observed.status !== 'exited') return 'running'
      await this.#noteEnd(row, observed)
      return 'gone'
    })
    return found ?? 'busy'
  }

  /**
   * Takes an instance that is up and wanted as the agent's own, after a restart of Mosaic for example; one
   * that is suspended as such.
   */
  async adopt(agent: AgentKey, observed: Observed, runtime: string): Promise<Adoption> {
    const { rows, probe, local } = this.#parts
    const adoption = await this.#underFreeLease(agent, async (row) => {
      if (row.desired !== 'running' || !observed.endpoint) return 'unready'
      /** One of a former generation does not know the present token. */
      if (observed.specHash !== row.specHash) return 'unready'
      const frozen = observed.status === 'suspended'
      if (!frozen && (await probe.startup(observed.endpoint)) !== 'ready') return 'unready'
      if (frozen) local.warm.delete(agent)
      const now = this.#context.clock.now()
      await rows.save(row, {
        status: frozen ? 'suspended' : 'running',
        statusReason: null,
        runtime,
        containerId: observed.id,
        endpoint: observed.endpoint,
        runtimeState: observed.state,
        failureCount: 0,
        retryAt: null,
        lastActiveAt: row.lastActiveAt?.toMillis() ?? now,
        startedAt: observed.startedAt?.getTime() ?? now,
      })
      local.tellStatus(row)
      return 'adopted'
    })
    return adoption ?? 'busy'
  }

  /** Null while someone else changes the agent, or where it has no row. */
  async #underFreeLease<T>(
    agent: AgentKey,
    work: (row: AgentRow) => Promise<T>
  ): Promise<T | null> {
    const { leases, rows, local } = this.#parts
    if (local.wakes.has(agent)) return null
    const result = await leases.tryHold(agent, async () => {
      const row = await rows.find(agent)
      return row ? work(row) : null
    })
    return result === HELD ? null : result
  }

  async #observe(row: AgentRow): Promise<Observed | null> {
    const { runtimes, clock, timeouts } = this.#context
    if (!row.runtime || !runtimes.names().includes(row.runtime)) return null
    const driver = await runtimes.use(row.runtime)
    return within(clock, timeouts.inspectMs, undefined, () => driver.inspect(instanceRef(row)))
  }

  /** A crash is told; what someone who is gone had half started or half stopped is just not there. */
  async #noteEnd(row: AgentRow, observed: Observed | null): Promise<void> {
    const { rows, local, metrics } = this.#parts
    const agent = agentOf(row)
    local.warm.delete(agent)
    const crashed = row.desired === 'running' && row.status === 'running'
    const failure = instanceFailure(observed)
    if (crashed) {
      metrics.crashed(failure.reason)
      const details = { agent, reason: failure.reason, err: failure }
      this.#context.logger.warn(details, 'An agent ended by itself')
    }
    await row.dropGatewayToken()
    await rows.save(row, {
      status: crashed ? 'error' : 'stopped',
      statusReason: crashed ? failure.reason : null,
      containerId: null,
      endpoint: null,
      startedAt: null,
      ...(crashed && afterCrash(row, this.#context.clock.now(), this.#context.random)),
    })
    local.tellStatus(row)
  }
}

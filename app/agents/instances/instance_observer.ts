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
 * `gone` = it should run but does not, `asleep` = it need not run, `busy` = it is being changed,
 * `unknown` = its runtime does not answer.
 */
export type RecheckResult = 'running' | 'gone' | 'asleep' | 'busy' | 'unknown'

/** `unready` = its gateway cannot take traffic, `busy` = the agent is being changed. */
export type Adoption = 'adopted' | 'unready' | 'busy'

/** Updates the rows from the runtime, which is the source of truth about what runs. */
export class InstanceObserver {
  readonly #context: AgentsContext
  readonly #parts: InstanceObserverParts

  constructor(context: AgentsContext, parts: InstanceObserverParts) {
    this.#context = context
    this.#parts = parts
  }

  /** Whether this process is changing the agent. */
  isBusy(agent: AgentKey): boolean {
    return this.#parts.local.wakes.has(agent) || this.#parts.leases.isHeld(agent)
  }

  /** Returns the agent of an instance that was up when this process last saw it, or null. */
  agentNamed(instance: string): AgentKey | null {
    return this.#parts.local.names.get(instance) ?? null
  }

  /** Forgets the gateway's address. The next caller looks it up again. */
  forget(agent: AgentKey): void {
    this.#parts.local.warm.delete(agent)
  }

  /** Forgets all addresses: an engine that restarted may have given them to other agents. */
  forgetAll(): void {
    this.#parts.local.warm.clear()
  }

  /** Whether the instance that a row names runs at the address that it names, by its runtime. */
  async isThere(row: AgentRow): Promise<boolean> {
    const observed = await this.#observe(row).catch(() => null)
    const { containerId: id, endpoint } = row
    return observed?.status === 'running' && observed.id === id && observed.endpoint === endpoint
  }

  /** Checks whether an agent that should run does, and records its end if not. */
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
   * Adopts a wanted instance that is up, for example after a restart of Mosaic. A suspended instance
   * stays suspended.
   */
  async adopt(agent: AgentKey, observed: Observed, runtime: string): Promise<Adoption> {
    const { rows, probe, local } = this.#parts
    const adoption = await this.#underFreeLease(agent, async (row) => {
      if (row.desired !== 'running' || !observed.endpoint) return 'unready'
      /** An instance of a former generation does not have the current token. */
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

  /** Returns null if the agent is being changed or has no row. */
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

  /** Reports a crash. An interrupted start or stop is no crash: its instance is simply absent. */
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

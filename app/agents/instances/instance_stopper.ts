import type { AgentActivity } from '#agents/state/activity'
import type { AgentsContext } from '#agents/context'
import { DeadlineExceeded, within } from '#timing/deadline'
import type { GatewayDrain } from '#agents/instances/gateway_drain'
import { LeaseLost, type LeaseManager } from '#agents/leases/lease_manager'
import { agentOf, instanceRef, isUp, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey, AgentRow } from '#agents/types'
import { isDatabaseAway } from '#exceptions/database_away'
import { isRuntimeError, RuntimeError } from '#runtimes/errors'

export interface InstanceStopperParts {
  rows: AgentRepository
  leases: LeaseManager
  activity: AgentActivity
  gatewayDrain: GatewayDrain
}

/** Drains agents and ends their instances. Call it under the lease, but for `endUnwanted`. */
export class InstanceStopper {
  readonly #context: AgentsContext
  readonly #rows: AgentRepository
  readonly #leases: LeaseManager
  readonly #activity: AgentActivity
  readonly #gatewayDrain: GatewayDrain

  constructor(
    context: AgentsContext,
    { rows, leases, activity, gatewayDrain }: InstanceStopperParts
  ) {
    this.#context = context
    this.#rows = rows
    this.#leases = leases
    this.#activity = activity
    this.#gatewayDrain = gatewayDrain
  }

  /**
   * Lets what the agent does end, at most as long as the settings grant; new requests are turned away
   * meanwhile. What Mosaic itself has in flight counts only where the gateway does not say: a message
   * that came since waits for the next wake, and must not be waited for.
   *
   * @throws LeaseLost
   */
  async drain(row: AgentRow): Promise<void> {
    const { clock, settings, logger } = this.#context
    const agent = agentOf(row)
    const graceMs = (await settings.get('agents.stopGraceSec')) * 1000
    if (await this.#gatewayDrain.drain(row, graceMs)) return
    await within(clock, graceMs, undefined, (signal) =>
      this.#activity.whenIdle(agent, signal)
    ).catch(() => logger.info({ agent }, 'Stopping an agent in the middle of its work'))
  }

  /**
   * Ends the agent's instance and notes it. What cannot be ended is noted as an error; the reconciler
   * tries again.
   *
   * @throws RuntimeError, LeaseLost, E_DATABASE_AWAY
   */
  async stop(row: AgentRow): Promise<void> {
    try {
      await this.endInstance(row)
    } catch (error) {
      if (error instanceof LeaseLost || isDatabaseAway(error)) throw error
      const failure = toRuntimeError(error)
      await this.#rows.save(row, { status: 'error', statusReason: failure.reason })
      throw failure
    }
    await row.dropGatewayToken()
    await this.#rows.save(row, {
      status: 'stopped',
      statusReason: null,
      containerId: null,
      endpoint: null,
      startedAt: null,
      crashCount: 0,
    })
  }

  /** Takes the lease and ends an instance that nobody wants, unless the agent runs by then. */
  async endUnwanted(agent: AgentKey): Promise<void> {
    await this.#leases.holdAgain(agent, async () => {
      const row = await this.#rows.find(agent)
      if (row && !isUp(row)) await this.endInstance(row)
    })
  }

  /** Ends the instance and leaves the row as it is. A row that never had one is success. */
  async endInstance(row: AgentRow): Promise<void> {
    const { runtimes, clock, timeouts } = this.#context
    if (!row.runtime || !runtimes.names().includes(row.runtime)) return
    const driver = await runtimes.use(row.runtime)
    const graceMs = timeouts.killAfterMs
    await this.#leases.confirm(agentOf(row), row)
    await within(clock, graceMs + timeouts.stopMs, undefined, () =>
      driver.stop(instanceRef(row), { graceMs })
    )
  }
}

function toRuntimeError(error: unknown): RuntimeError {
  if (isRuntimeError(error)) return error
  const reason = error instanceof DeadlineExceeded ? 'engine_unreachable' : 'internal'
  return new RuntimeError(reason, 'The instance could not be ended.', { cause: error })
}

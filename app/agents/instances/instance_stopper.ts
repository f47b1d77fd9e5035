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

/** Drains agents and ends their instances. Call it under the lease, except `endUnwanted`. */
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
   * Lets the agent finish its work, up to the grace in the settings, and refuses new requests
   * meanwhile. Mosaic's own requests in flight count only if the gateway does not answer: a message
   * that has arrived since waits for the next wake, so the stop must not wait for it.
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
   * Ends the agent's instance and records it. A failure is recorded as an error; the reconciler tries
   * again.
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

  /** Takes the lease and ends an unwanted instance, unless the agent is running by then. */
  async endUnwanted(agent: AgentKey): Promise<void> {
    await this.#leases.holdAgain(agent, async () => {
      const row = await this.#rows.find(agent)
      if (row && !isUp(row)) await this.endInstance(row)
    })
  }

  /** Ends the instance without changing the row. A no-op if there never was one. */
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

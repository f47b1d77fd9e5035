import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import type { GatewayDrain, Quietness } from '#agents/instances/gateway_drain'
import { HELD, LeaseLost, type LeaseManager } from '#agents/leases/lease_manager'
import type { LocalState } from '#agents/state/local_state'
import { agentOf, instanceRef, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey, AgentRow } from '#agents/types'
import type { DesiredState } from '#models/types'

/**
 * How to stop: `stop` stops the agent, `suspend` and `rest` suspend it and keep its memory. If its runtime
 * cannot suspend, `suspend` stops it and `rest` leaves it running. An agent whose scheduler is stuck is stopped.
 */
export type IdleStopKind = 'stop' | 'suspend' | 'rest'

export interface IdleStopWish {
  kind: IdleStopKind
  /** States that must not prevent the stop. By default each of them does. */
  despite?: readonly Exclude<Quietness, 'closed' | 'stuck'>[]
  /** The state that is wanted after a stop; by default `stopped`. */
  desired?: DesiredState
}

/**
 * `used`: the agent is in use again. `changing`: it is being changed. `working`: it is working. `due`: a job
 * is due soon. `silent`: its gateway does not respond. `kept`: its runtime did not suspend it.
 */
export type IdleStopOutcome =
  'stopped' | 'suspended' | 'kept' | 'used' | 'changing' | 'working' | 'due' | 'silent'

/** As `AgentActivity`. */
export interface RequestsInFlight {
  inFlight(agent: AgentKey): number
  inFlightOnOtherReplicas(agent: AgentKey): Promise<number>
}

/** As `StopRequests`. */
export interface InstanceEnd {
  end(row: AgentRow, wish?: { desired: DesiredState }): Promise<void>
}

export interface IdleStopperParts {
  rows: AgentRepository
  leases: LeaseManager
  local: LocalState
  activity: RequestsInFlight
  gatewayDrain: GatewayDrain
  stopRequests: InstanceEnd
}

/** Stops idle agents, but never one that is working. */
export class IdleStopper {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes' | 'timeouts'>
  readonly #parts: IdleStopperParts

  constructor(
    context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes' | 'timeouts'>,
    parts: IdleStopperParts
  ) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * Takes the lease, checks that the agent is still idle, closes its gateway, checks again, and stops
   * it. `wish` decides from the row as read under the lease; null keeps the agent running.
   *
   * @throws AgentUnavailable if the runtime does not end it
   */
  async stop(
    agent: AgentKey,
    wish: (row: AgentRow) => IdleStopWish | null
  ): Promise<IdleStopOutcome> {
    const { leases, local, rows, gatewayDrain } = this.#parts
    if (local.wakes.has(agent) || leases.isHeld(agent)) return 'changing'
    const work = leases.tryHold(agent, async () => {
      const row = await rows.find(agent)
      if (!row || !wish(row)) return 'used'
      await gatewayDrain.beforeSleep(row)
      /** The agent may have been used meanwhile. */
      const wanted = wish(row)
      return wanted ? this.#stop(agent, row, wanted) : 'used'
    })
    const outcome = await work.catch((error: unknown): 'changing' => {
      if (error instanceof LeaseLost) return 'changing'
      throw error
    })
    return outcome === HELD ? 'changing' : outcome
  }

  async #stop(agent: AgentKey, row: AgentRow, wish: IdleStopWish): Promise<IdleStopOutcome> {
    const { local, activity, gatewayDrain, stopRequests } = this.#parts
    /** From here on requests wait for the lease; earlier ones are counted as in flight. */
    local.warm.delete(agent)
    if (activity.inFlight(agent) > 0 || (await activity.inFlightOnOtherReplicas(agent)) > 0) {
      return 'used'
    }
    const { desired = 'stopped' } = wish
    if (row.status === 'suspended') {
      await stopRequests.end(row, { desired })
      return 'stopped'
    }
    const found = await gatewayDrain.closeIfQuiet(row)
    const isClosed = found === 'closed' || found === 'stuck'
    if (!isClosed && !wish.despite?.includes(found)) return found
    /** A request has arrived since and waits for the lease. Reopening serves it sooner than a wake. */
    if (activity.inFlight(agent) > 0) {
      await gatewayDrain.reopen(row)
      return 'used'
    }
    if (wish.kind !== 'stop' && found === 'closed' && (await this.#suspend(row))) {
      return 'suspended'
    }
    if (wish.kind === 'rest' && found !== 'stuck') {
      await gatewayDrain.reopen(row)
      return 'kept'
    }
    await stopRequests.end(row, { desired })
    return 'stopped'
  }

  /** Returns false if the runtime cannot suspend, or fails to. */
  async #suspend(row: AgentRow): Promise<boolean> {
    const { runtimes, clock, timeouts, logger } = this.#context
    const { rows, leases, local } = this.#parts
    if (!row.runtime || !runtimes.names().includes(row.runtime)) return false
    const driver = await runtimes.use(row.runtime)
    if (!driver.suspend) return false
    await leases.confirm(agentOf(row), row)
    try {
      await within(clock, timeouts.stopMs, undefined, () => driver.suspend!(instanceRef(row)))
    } catch (error) {
      logger.warn({ err: error, runtime: row.runtime }, 'An agent could not be suspended')
      return false
    }
    await rows.save(row, { status: 'suspended' })
    local.tellStatus(row)
    return true
  }
}

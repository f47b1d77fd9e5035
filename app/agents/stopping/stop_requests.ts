import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import { reasonOf } from '#agents/state/failure_reasons'
import { LeaseLost, type LeaseManager } from '#agents/leases/lease_manager'
import type { LocalState } from '#agents/state/local_state'
import {
  agentOf,
  isUp,
  isWanted,
  mustEnd,
  type AgentRepository,
} from '#agents/state/agent_repository'
import type { InstanceStopper } from '#agents/instances/instance_stopper'
import type { AgentKey, AgentRow, Stop } from '#agents/types'
import { watched, type Waker } from '#agents/waking/waker'
import type { DesiredState } from '#models/types'

type Wish = Pick<Stop, 'desired'>

export interface StopRequestsParts {
  rows: AgentRepository
  leases: LeaseManager
  local: LocalState
  instanceStopper: InstanceStopper
  waker: Pick<Waker, 'cancel'>
}

/** Stops agents: on request, because they are unwanted, or after an idle time. */
export class StopRequests {
  readonly #context: Pick<AgentsContext, 'logger'>
  readonly #parts: StopRequestsParts

  constructor(context: Pick<AgentsContext, 'logger'>, parts: StopRequestsParts) {
    this.#context = context
    this.#parts = parts
  }

  /** As `AgentLifecycle.stop`. `desired` is the state wanted afterwards: the last caller wins. */
  stop(agent: AgentKey, desired: DesiredState = 'stopped'): Stop {
    const { local } = this.#parts
    const present = local.stops.get(agent)
    if (present) return Object.assign(present, { desired })
    const stop: Stop = { desired, done: Promise.resolve() }
    stop.done = this.#run(agent, stop)
    local.stops.set(agent, stop)
    void watched(stop.done)
    return stop
  }

  async #run(agent: AgentKey, stop: Stop): Promise<void> {
    const { local, waker, leases } = this.#parts
    try {
      await waker.cancel(agent)
      let noted: DesiredState | null
      do {
        noted = await leases.holdAgain(agent, () => this.#drainAndStop(agent, stop))
        /** A caller may have asked for another state while the lease was given back. */
      } while (noted && noted !== stop.desired)
    } catch (error) {
      if (error instanceof AgentUnavailable) throw error
      this.#context.logger.error({ err: error, agent }, 'An agent does not stop')
      /** Other replicas took the agent over again and again. */
      if (!(error instanceof LeaseLost)) throw error
      throw new AgentUnavailable(reasonOf(error), { cause: error })
    } finally {
      local.stops.delete(agent)
    }
  }

  /**
   * Stops an agent that should not run, or whose stop a dead replica left half done, unless it is being
   * changed. Returns whether it stopped the agent.
   */
  async stopUnwanted(agent: AgentKey): Promise<boolean> {
    const { leases, rows } = this.#parts
    const stopped = await leases.tryHold(agent, async () => {
      const row = await rows.find(agent)
      if (!row || !mustEnd(row)) return false
      await this.#drainAndStop(agent, { desired: isWanted(row) ? 'running' : 'stopped' })
      return true
    })
    return stopped === true
  }

  /**
   * Ends an agent's instance without a drain, and records it. Call it under the lease.
   *
   * @throws AgentUnavailable if the runtime does not end it
   */
  async end(row: AgentRow, wish: Wish = { desired: 'stopped' }): Promise<void> {
    await this.#stopping(row, wish)
    try {
      await this.#parts.instanceStopper.stop(row)
      /** A caller may have asked for another state meanwhile. */
      await this.#stopping(row, wish)
    } catch (error) {
      if (error instanceof LeaseLost) throw error
      this.#context.logger.error({ err: error, agent: agentOf(row) }, 'An agent does not stop')
      throw new AgentUnavailable(reasonOf(error), { cause: error })
    } finally {
      this.#parts.local.tellStatus(row)
    }
  }

  /** Returns the wanted state that the row has in the end, or null without a row. */
  async #drainAndStop(agent: AgentKey, wish: Wish): Promise<DesiredState | null> {
    const { local, rows, instanceStopper } = this.#parts
    local.warm.delete(agent)
    const row = await rows.find(agent)
    if (!row) return null
    /** A suspended agent was idle before, and could not answer; a stopped one has nothing to end. */
    const mayWork = isUp(row) && row.status !== 'suspended'
    await this.#stopping(row, wish)
    if (mayWork) await instanceStopper.drain(row)
    await this.end(row, wish)
    return row.desired
  }

  async #stopping(row: AgentRow, { desired }: Wish): Promise<void> {
    if (row.desired === desired && (row.status === 'stopping' || !isUp(row))) return
    const { rows, local } = this.#parts
    await rows.save(row, { desired, ...(isUp(row) && { status: 'stopping' }) })
    local.tellStatus(row)
  }
}

import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/errors'
import { reasonOf } from '#agents/failures'
import { LeaseLost, type AgentLeases } from '#agents/leases'
import type { AgentPresence } from '#agents/presence'
import { isWanted } from '#agents/reconcile_plan'
import { agentOf, isUp, type AgentRows } from '#agents/rows'
import type { AgentStopper } from '#agents/stopper'
import type { AgentTurns } from '#agents/turns'
import type { AgentKey, AgentRow } from '#agents/types'
import type { AgentWakes } from '#agents/wakes'
import { watched } from '#agents/watched'

export interface StopsParts {
  rows: AgentRows
  leases: AgentLeases
  turns: AgentTurns
  presence: AgentPresence
  stopper: AgentStopper
  wakes: Pick<AgentWakes, 'cancel'>
}

/** Stops agents: because somebody asks for it, because nobody wants them, or as the end of a sleep. */
export class AgentStops {
  readonly #context: Pick<AgentsContext, 'logger'>
  readonly #parts: StopsParts

  constructor(context: Pick<AgentsContext, 'logger'>, parts: StopsParts) {
    this.#context = context
    this.#parts = parts
  }

  /** As `AgentLifecycle.stop`. */
  stop(agent: AgentKey): Promise<void> {
    const { presence, wakes, turns } = this.#parts
    const present = presence.stops.get(agent)
    if (present) return present
    const stop = wakes
      .cancel(agent)
      .then(() => turns.hold(agent, () => this.#drainAndStop(agent)))
      .finally(() => presence.stops.delete(agent))
    presence.stops.set(agent, stop)
    return watched(stop)
  }

  /** Stops an agent that should not run, unless someone is changing it. Tells whether it did. */
  async stopUnwanted(agent: AgentKey): Promise<boolean> {
    const { leases, rows } = this.#parts
    const stopped = await leases.tryHold(agent, async () => {
      const row = await rows.find(agent)
      if (!row || isWanted(row)) return false
      await this.#drainAndStop(agent)
      return true
    })
    return stopped === true
  }

  /** Ends an instance that nobody wants, unless the agent runs by then. */
  async endUnwanted(agent: AgentKey): Promise<void> {
    const { turns, rows, stopper } = this.#parts
    await turns.hold(agent, async () => {
      const row = await rows.find(agent)
      if (row && !isUp(row)) await stopper.endInstance(row)
    })
  }

  /**
   * Ends the instance of an agent without a drain, and notes it. Call it under the lease.
   *
   * @throws AgentUnavailable when the runtime does not end it
   */
  async end(row: AgentRow): Promise<void> {
    await this.#stopping(row)
    try {
      await this.#parts.stopper.stop(row)
    } catch (error) {
      if (error instanceof LeaseLost) throw error
      this.#context.logger.error({ err: error, agent: agentOf(row) }, 'An agent does not stop')
      throw new AgentUnavailable(reasonOf(error), { cause: error })
    } finally {
      this.#parts.presence.tellStatus(row)
    }
  }

  async #drainAndStop(agent: AgentKey): Promise<void> {
    const { presence, rows, stopper } = this.#parts
    presence.warm.delete(agent)
    const row = await rows.find(agent)
    if (!row) return
    /** One that is suspended was quiet before, and could not answer. */
    const frozen = row.status === 'suspended'
    await this.#stopping(row)
    if (!frozen) await stopper.drain(row)
    await this.end(row)
  }

  async #stopping(row: AgentRow): Promise<void> {
    if (row.desired === 'stopped' && (row.status === 'stopping' || !isUp(row))) return
    const { rows, presence } = this.#parts
    await rows.save(row, { desired: 'stopped', ...(isUp(row) && { status: 'stopping' }) })
    presence.tellStatus(row)
  }
}

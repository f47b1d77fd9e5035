import type { AgentsContext } from '#agents/context'
import { LeaseLost, type LeaseManager, type Lease } from '#agents/leases/lease_manager'
import type { AgentKey } from '#agents/types'

/** How often work on an agent begins anew because another copy took its lease over. */
const MOST_TAKEOVERS = 3

/** Work on an agent under its lease that begins anew when it was cut off by no fault of the agent. */
export class AgentTurns {
  readonly #context: Pick<AgentsContext, 'logger'>
  readonly #leases: LeaseManager

  constructor(context: Pick<AgentsContext, 'logger'>, leases: LeaseManager) {
    this.#context = context
    this.#leases = leases
  }

  /** Whoever loses the lease in the middle begins anew, with what the new holder has made of it. */
  async hold<T>(
    agent: AgentKey,
    work: (lease: Lease) => Promise<T>,
    signal?: AbortSignal,
    watch?: () => Promise<undefined>
  ): Promise<T> {
    for (let takeovers = 0; ; takeovers++) {
      try {
        return await this.#leases.hold(agent, work, signal, watch)
      } catch (error) {
        if (!(error instanceof LeaseLost) || takeovers === MOST_TAKEOVERS) throw error
        this.#context.logger.warn({ agent }, 'Another copy of Mosaic took an agent over')
      }
    }
  }
}

import type { AgentsContext } from '#agents/context'
import type { DatabaseRetry } from '#agents/leases/database_retry'
import { SharedStartGate } from '#agents/waking/shared_start_gate'
import type { AgentKey, WakeProgress } from '#agents/types'
import type { Wake } from '#agents/state/wake'
import { WakeRegistry } from '#agents/replicas/wake_registry'

/** Wakes as all copies of Mosaic see them: one leads, the others follow what it tells. */
export class SharedWakes {
  readonly board: WakeRegistry
  readonly gate: SharedStartGate

  constructor(
    context: Pick<AgentsContext, 'copy' | 'copies' | 'clock' | 'logger'>,
    protected patience: DatabaseRetry
  ) {
    this.board = new WakeRegistry(context, context.copies)
    this.gate = new SharedStartGate(context, context.copies, this.board)
  }

  /** Shows the other copies how far the wake is while it is worked on. Call it under the lease. */
  async lead<T>(wake: Wake, work: () => Promise<T>): Promise<T> {
    if (!(await this.board.begin(wake.agent))) return work()
    const hush = wake.listen((progress) => this.board.tell(wake.agent, progress))
    try {
      return await work()
    } finally {
      hush()
      await this.board.end(wake.agent)
    }
  }

  /** Asks whichever other copy wakes the agent to give up. */
  async callOff(agent: AgentKey): Promise<void> {
    await this.patience.outlast(() => this.board.callOff(agent))
  }

  /** What to do while another copy holds the lease: tell those who wait here what it tells. */
  follow(wake: Wake): () => Promise<undefined> {
    return async () => {
      const progress = await this.progress(wake.agent)
      if (progress) wake.follow(progress)
    }
  }

  /** How far another copy is with waking the agent, or null. */
  async progress(agent: AgentKey): Promise<WakeProgress | null> {
    const [seen] = await this.patience.outlast(() => this.board.look([agent]))
    return seen?.progress ?? null
  }
}

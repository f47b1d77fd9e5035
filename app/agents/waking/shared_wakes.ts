import type { AgentsContext } from '#agents/context'
import type { DatabaseRetry } from '#agents/leases/database_retry'
import { SharedStartGate } from '#agents/waking/shared_start_gate'
import type { AgentKey, WakeProgress } from '#agents/types'
import type { Wake } from '#agents/state/wake'
import { WakeRegistry } from '#agents/replicas/wake_registry'

/** Wakes as all replicas of Mosaic see them: one leads, the others follow its progress. */
export class SharedWakes {
  readonly registry: WakeRegistry
  readonly gate: SharedStartGate

  constructor(
    context: Pick<AgentsContext, 'replicaId' | 'replicas' | 'clock' | 'logger'>,
    protected databaseRetry: DatabaseRetry
  ) {
    this.registry = new WakeRegistry(context, context.replicas)
    this.gate = new SharedStartGate(context, context.replicas, this.registry)
  }

  /** Publishes the wake's progress to the other replicas during the work. Call it under the lease. */
  async lead<T>(wake: Wake, work: () => Promise<T>): Promise<T> {
    if (!(await this.registry.begin(wake.agent))) return work()
    const hush = wake.listen((progress) => this.registry.tell(wake.agent, progress))
    try {
      return await work()
    } finally {
      hush()
      await this.registry.end(wake.agent)
    }
  }

  /** Asks the replica that wakes the agent to cancel. */
  async requestCancel(agent: AgentKey): Promise<void> {
    await this.databaseRetry.run(() => this.registry.requestCancel(agent))
  }

  /** Returns the poll for a held lease, which passes the other replica's progress on to local callers. */
  follow(wake: Wake): () => Promise<undefined> {
    return async () => {
      const progress = await this.progress(wake.agent)
      if (progress) wake.follow(progress)
    }
  }

  /** Returns the progress of another replica's wake of the agent, or null. */
  async progress(agent: AgentKey): Promise<WakeProgress | null> {
    const seen = await this.databaseRetry.run(() => this.registry.look(agent))
    return seen?.progress ?? null
  }
}

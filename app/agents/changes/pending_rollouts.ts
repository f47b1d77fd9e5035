import type { AgentKey } from '#agents/types'

interface Pending {
  holds: number
  settled: PromiseWithResolvers<void>
}

/**
 * Agents in this process with a settings rollout in progress. A message sent after the settings were
 * saved waits for the rollout, so that the new settings answer it.
 */
export class PendingRollouts {
  readonly #pending = new Map<AgentKey, Pending>()

  /** Settles when new messages may pass; null if no rollout is pending. Costs one map lookup. */
  of(agent: AgentKey): Promise<void> | null {
    return this.#pending.get(agent)?.settled.promise ?? null
  }

  /** Holds new messages until the returned function is called. */
  hold(agent: AgentKey): () => void {
    const pending = this.#pending.get(agent) ?? { holds: 0, settled: Promise.withResolvers() }
    this.#pending.set(agent, pending)
    pending.holds++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      pending.holds--
      if (pending.holds > 0) return
      this.#pending.delete(agent)
      pending.settled.resolve()
    }
  }
}

import type { AgentKey } from '#agents/types'

interface Pending {
  holds: number
  settled: PromiseWithResolvers<void>
}

/**
 * Agents that new settings are on their way to, in this process. What is asked of an agent after its settings
 * were saved waits for them, so that they answer it.
 */
export class PendingRollouts {
  readonly #pending = new Map<AgentKey, Pending>()

  /** Settles when new messages may go; null when nothing is on its way. Costs a look into a map. */
  of(agent: AgentKey): Promise<void> | null {
    return this.#pending.get(agent)?.settled.promise ?? null
  }

  /** Has new messages wait until the returned function is called. */
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

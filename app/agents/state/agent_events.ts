import type { AgentEvent, AgentKey } from '#agents/types'

export type AgentListener = (event: AgentEvent) => void

/** Notifies subscribers in this process of events of their agents. */
export class AgentEvents {
  readonly #listeners = new Map<AgentKey, Set<AgentListener>>()

  /** Agents with at least one subscriber. */
  agents(): Iterable<AgentKey> {
    return this.#listeners.keys()
  }

  hasListeners(agent: AgentKey): boolean {
    return this.#listeners.has(agent)
  }

  subscribe(agent: AgentKey, listener: AgentListener): () => void {
    const listeners = this.#listeners.get(agent) ?? new Set()
    this.#listeners.set(agent, listeners)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(agent) === listeners) {
        this.#listeners.delete(agent)
      }
    }
  }

  emit(agent: AgentKey, event: AgentEvent): void {
    for (const listener of this.#listeners.get(agent) ?? []) listener(event)
  }
}

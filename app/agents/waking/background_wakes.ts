import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import type { AgentKey, WakeReason } from '#agents/types'
import type { FailureReason } from '#runtimes/errors'

/** As `AgentLifecycle`. */
export interface AgentWakes {
  ensureRunning(agent: AgentKey, options: { reason: WakeReason }): Promise<unknown>
}

export type WakeOutcome = 'woken' | 'skipped' | 'failed'

/**
 * How a wake ended. `skipped`: the agent waits after a failure, cannot start, or another replica handles it; then
 * `reason` says why.
 */
export interface WakeEnd {
  outcome: WakeOutcome
  reason?: FailureReason
}

/**
 * Wakes that no person waits for. No sweep waits for them either: an agent decides how long its boot takes, and
 * would hold up the agents of all others, which the next sweep serves.
 */
export class BackgroundWakes {
  readonly #underWay = new Map<AgentKey, Promise<WakeEnd>>()
  #closed = false

  constructor(
    protected context: Pick<AgentsContext, 'logger'>,
    protected lifecycle: AgentWakes
  ) {}

  /** Begins a wake, or returns null if one is under way, or Mosaic shuts down. The promise never rejects. */
  begin(agent: AgentKey, reason: WakeReason): Promise<WakeEnd> | null {
    if (this.#closed || this.#underWay.has(agent)) return null
    const wake = this.#wake(agent, reason).finally(() => this.#underWay.delete(agent))
    this.#underWay.set(agent, wake)
    return wake
  }

  /** Resolves when the wakes under way have ended, with their number by outcome. */
  async settled(): Promise<Record<WakeOutcome, number>> {
    const counts = { woken: 0, skipped: 0, failed: 0 }
    for (const { outcome } of await Promise.all(this.#underWay.values())) counts[outcome]++
    return counts
  }

  /** Begins no further wakes. Resolves when those under way have ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.settled()
  }

  async #wake(agent: AgentKey, reason: WakeReason): Promise<WakeEnd> {
    try {
      await this.lifecycle.ensureRunning(agent, { reason })
      return { outcome: 'woken' }
    } catch (error) {
      if (error instanceof AgentUnavailable) return { outcome: 'skipped', reason: error.reason }
      this.context.logger.warn({ err: error, agent, reason }, 'Could not wake an agent')
      return { outcome: 'failed' }
    }
  }
}

import type { AgentKey } from '#agents/types'
import { E_CHAT_NOT_RUNNING } from '#chat/errors'
import { LiveRun } from '#chat/live_run'

/** Limit of background runs per agent; further runs end with their reader, like those of any other client. */
const MOST_IN_BACKGROUND = 8

/** Page answers that pass this process. A page that was reloaded or lost its network rejoins its own here. */
export class LiveRuns {
  readonly #runs = new Map<AgentKey, Map<string, LiveRun>>()

  begin(
    agent: AgentKey,
    conversationId: string,
    { question, background, startedAt }: { question: string; background: boolean; startedAt?: Date }
  ): LiveRun {
    const runs = this.#runs.get(agent) ?? new Map<string, LiveRun>()
    this.#runs.set(agent, runs)
    const run = new LiveRun(question, background && runs.size < MOST_IN_BACKGROUND, startedAt)
    runs.set(conversationId, run)
    return run
  }

  end(agent: AgentKey, conversationId: string, run: LiveRun): void {
    run.end()
    const runs = this.#runs.get(agent)
    if (runs?.get(conversationId) === run) runs.delete(conversationId)
    if (runs?.size === 0) this.#runs.delete(agent)
  }

  /**
   * Returns the conversation's answer in progress, or null if none passes this process.
   *
   * @throws E_CHAT_NOT_RUNNING if its record is incomplete
   */
  find(agent: AgentKey, conversationId: string): LiveRun | null {
    const run = this.#runs.get(agent)?.get(conversationId) ?? null
    if (run && !run.isWhole) throw new E_CHAT_NOT_RUNNING()
    return run
  }

  /** Cancels the answer in progress, until it has ended. Returns false if none passes this process. */
  async stop(agent: AgentKey, conversationId: string): Promise<boolean> {
    const run = this.#runs.get(agent)?.get(conversationId)
    run?.leave()
    await run?.over
    return run !== undefined
  }
}

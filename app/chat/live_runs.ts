import type { AgentKey } from '#agents/types'
import { E_CHAT_NOT_RUNNING } from '#chat/errors'
import { LiveRun } from '#chat/live_run'

/** Runs of one agent that go on without a reader; one more ends with its reader, as any other client's. */
const MOST_IN_BACKGROUND = 8

/**
 * The answers of the page's chat that are under way in this process. A page that was reloaded, or lost its
 * network, finds its own here. Another replica of Mosaic does not know them: there the history tells, once
 * the answer is whole.
 */
export class LiveRuns {
  readonly #runs = new Map<AgentKey, Map<string, LiveRun>>()

  begin(
    agent: AgentKey,
    conversationId: string,
    { question, background }: { question: string; background: boolean }
  ): LiveRun {
    const runs = this.#runs.get(agent) ?? new Map<string, LiveRun>()
    this.#runs.set(agent, runs)
    const run = new LiveRun(question, background && runs.size < MOST_IN_BACKGROUND)
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
   * The answer that is under way in a conversation.
   *
   * @throws E_CHAT_NOT_RUNNING
   */
  find(agent: AgentKey, conversationId: string): LiveRun {
    const run = this.#runs.get(agent)?.get(conversationId)
    if (!run || !run.isWhole) throw new E_CHAT_NOT_RUNNING()
    return run
  }

  /** Ends the answer that is under way; none is success. */
  stop(agent: AgentKey, conversationId: string): void {
    this.#runs.get(agent)?.get(conversationId)?.leave()
  }
}

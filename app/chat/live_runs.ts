import type { AgentKey } from '#agents/types'
import { E_CHAT_NOT_RUNNING, E_TOO_MANY_ANSWERS } from '#chat/errors'
import { LiveRun } from '#chat/live_run'

/** Limit of an agent's runs that outlive their readers. Further runs end with their reader, as for any other client. */
const MOST_IN_BACKGROUND = 8

/** What a run begins with. */
export interface RunStart {
  question: string
  background: boolean
  startedAt?: Date
}

/** Page answers that pass this process. A page that was reloaded or lost its network rejoins its own here. */
export class LiveRuns {
  /** By agent, each run with its conversation, the oldest first: two pages may ask in one at once. */
  readonly #runs = new Map<AgentKey, Map<LiveRun, string>>()

  begin(agent: AgentKey, conversationId: string, start: RunStart): LiveRun {
    const background = start.background && this.#hasRoom(agent)
    return this.#add(agent, conversationId, { ...start, background })
  }

  /**
   * Takes over a run that the agent already has under way. It outlives its readers.
   *
   * @throws E_TOO_MANY_ANSWERS
   */
  join(agent: AgentKey, conversationId: string, start: Omit<RunStart, 'background'>): LiveRun {
    if (!this.#hasRoom(agent)) throw new E_TOO_MANY_ANSWERS()
    return this.#add(agent, conversationId, { ...start, background: true })
  }

  end(agent: AgentKey, run: LiveRun): void {
    run.end()
    const runs = this.#runs.get(agent)
    runs?.delete(run)
    if (runs?.size === 0) this.#runs.delete(agent)
  }

  /**
   * Returns the conversation's latest answer in progress, or null if none passes this process.
   *
   * @throws E_CHAT_NOT_RUNNING if its record is incomplete
   */
  find(agent: AgentKey, conversationId: string): LiveRun | null {
    const run = this.#of(agent, conversationId).at(-1) ?? null
    if (run && !run.isWhole) throw new E_CHAT_NOT_RUNNING()
    return run
  }

  /**
   * Cancels the answers in progress, until they have ended. Returns false if none passes this process.
   *
   * @throws why one of them goes on at its agent
   */
  async stop(agent: AgentKey, conversationId: string): Promise<boolean> {
    const runs = this.#of(agent, conversationId)
    for (const run of runs) run.leave()
    await Promise.all(runs.map(({ over }) => over))
    for (const { notStopped } of runs) if (notStopped) throw notStopped
    return runs.length > 0
  }

  #hasRoom(agent: AgentKey): boolean {
    return (this.#runs.get(agent)?.size ?? 0) < MOST_IN_BACKGROUND
  }

  #add(agent: AgentKey, conversationId: string, { question, background, startedAt }: RunStart) {
    const runs = this.#runs.get(agent) ?? new Map<LiveRun, string>()
    this.#runs.set(agent, runs)
    const run = new LiveRun(question, background, startedAt)
    runs.set(run, conversationId)
    return run
  }

  #of(agent: AgentKey, conversationId: string): LiveRun[] {
    return [...(this.#runs.get(agent) ?? [])]
      .filter(([, conversation]) => conversation === conversationId)
      .map(([run]) => run)
  }
}

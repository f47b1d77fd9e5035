import type { AgentActivity } from '#agents/activity'
import type { AgentsContext } from '#agents/context'
import { within } from '#agents/deadline'
import type { AgentLifecycle } from '#agents/lifecycle'
import { isUp } from '#agents/rows'
import type { AgentKey } from '#agents/types'
import { E_NO_PROVIDER } from '#openclaw/errors'

/** An agent that is never idle in this time is drained with the settings' grace instead. */
const LONGEST_WAIT_MS = 10 * 60_000

/** `unchanged`: nothing to do; `asleep`: its next wake takes the new document. */
export type ChangeOutcome = 'unchanged' | 'asleep' | 'restarted' | 'no_provider' | 'failed'

/**
 * Brings a changed document to an agent that runs: once nothing is in flight it is stopped and started
 * again. Its conversations are in its state, which stays.
 */
export class DocumentChanges {
  readonly #context: Pick<AgentsContext, 'clock' | 'documents' | 'logger'>
  readonly #lifecycle: AgentLifecycle
  readonly #activity: AgentActivity
  /** Changes that wait for their agent; one that comes meanwhile is seen by the same restart. */
  readonly #waiting = new Map<AgentKey, Promise<ChangeOutcome>>()
  readonly #ended = new AbortController()

  constructor(
    context: Pick<AgentsContext, 'clock' | 'documents' | 'logger'>,
    lifecycle: AgentLifecycle,
    activity: AgentActivity
  ) {
    this.#context = context
    this.#lifecycle = lifecycle
    this.#activity = activity
  }

  /** Call it after each change of what an agent starts from. Never throws. */
  changed(agent: AgentKey): Promise<ChangeOutcome> {
    const present = this.#waiting.get(agent)
    if (present) return present
    const outcome = this.#apply(agent)
      .catch((error: unknown): ChangeOutcome => {
        if (!this.#ended.signal.aborted) {
          this.#context.logger.warn(
            { err: error, agent },
            'Could not bring new settings to an agent'
          )
        }
        return 'failed'
      })
      .finally(() => this.#forget(agent, outcome))
    this.#waiting.set(agent, outcome)
    return outcome
  }

  close(): void {
    this.#ended.abort()
  }

  async #apply(agent: AgentKey): Promise<ChangeOutcome> {
    await this.#lifecycle.forgiveFailure(agent)
    const needed = await this.#need(agent)
    if (needed !== 'restart') return needed

    const { clock, logger } = this.#context
    await within(clock, LONGEST_WAIT_MS, this.#ended.signal, (signal) =>
      this.#activity.whenIdle(agent, signal)
    ).catch(() => logger.info({ agent }, 'An agent is never idle: its new settings interrupt it'))
    this.#ended.signal.throwIfAborted()
    /** Whatever changes from here on may be too late for this restart, and asks for its own. */
    this.#waiting.delete(agent)
    const stillNeeded = await this.#need(agent)
    if (stillNeeded !== 'restart') return stillNeeded
    await this.#lifecycle.restartAndWait(agent)
    return 'restarted'
  }

  #forget(agent: AgentKey, outcome: Promise<ChangeOutcome>): void {
    if (this.#waiting.get(agent) === outcome) this.#waiting.delete(agent)
  }

  async #need(agent: AgentKey): Promise<'restart' | Exclude<ChangeOutcome, 'restarted'>> {
    /** A wake in flight may have taken the former document. */
    await this.#lifecycle.settled(agent)
    const row = await this.#lifecycle.rows.find(agent)
    if (!row || !isUp(row)) return 'asleep'
    try {
      const { hash } = await this.#context.documents.forAgent(agent)
      return hash === row.documentHash ? 'unchanged' : 'restart'
    } catch (error) {
      if (error instanceof E_NO_PROVIDER) return 'no_provider'
      throw error
    }
  }
}

import type { AgentActivity } from '#agents/state/activity'
import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import type { AgentLifecycle } from '#agents/lifecycle'
import { isUp } from '#agents/state/agent_repository'
import type { AgentKey, GatewayAccess, SettingsOutcome } from '#agents/types'
import { E_NO_PROVIDER } from '#openclaw/errors'

/** An agent that is never idle in this time is drained with the settings' grace instead. */
const LONGEST_WAIT_MS = 10 * 60_000

/** Brings the present document to a gateway that runs, as `LiveSettings.apply`. */
export interface LiveChange {
  apply(gateway: GatewayAccess, agent: AgentKey, formerHash: string): Promise<string | null>
}

/**
 * Brings what was changed to an agent that runs, above all its document. What OpenClaw takes over while it runs, it is given;
 * for the rest the agent is stopped once nothing is in flight, and started again. Its conversations are in
 * its state, which stays.
 */
export class SettingsRollout {
  readonly #context: Pick<AgentsContext, 'clock' | 'documents' | 'logger'>
  readonly #lifecycle: AgentLifecycle
  readonly #activity: AgentActivity
  readonly #live: LiveChange
  /** Changes that wait for their agent; one that comes meanwhile is seen by the same restart. */
  readonly #waiting = new Map<AgentKey, Promise<SettingsOutcome>>()
  /** Agents whose instance has to be another one, whatever their document says. */
  readonly #outdated = new Set<AgentKey>()
  readonly #ended = new AbortController()

  constructor(
    context: Pick<AgentsContext, 'clock' | 'documents' | 'logger'>,
    lifecycle: AgentLifecycle,
    activity: AgentActivity,
    live: LiveChange
  ) {
    this.#context = context
    this.#lifecycle = lifecycle
    this.#activity = activity
    this.#live = live
  }

  /** Call it after each change of what an agent starts from. Never throws. */
  changed(agent: AgentKey): Promise<SettingsOutcome> {
    const present = this.#waiting.get(agent)
    if (present) return present
    const outcome = this.#apply(agent)
      .catch((error: unknown): SettingsOutcome => {
        if (!this.#ended.signal.aborted) {
          this.#context.logger.warn(
            { err: error, agent },
            'Could not bring new settings to an agent'
          )
        }
        return 'failed'
      })
      .finally(() => this.#forget(agent, outcome))
    void outcome.then((told) => this.#lifecycle.tellSettings(agent, told))
    this.#waiting.set(agent, outcome)
    return outcome
  }

  /**
   * As `changed`, after a change of what its instance is made of: its limits. No gateway takes that over while
   * it runs.
   */
  async remade(agent: AgentKey): Promise<SettingsOutcome> {
    this.#outdated.add(agent)
    const outcome = await this.changed(agent)
    /** A change that was on its way already may have looked before. */
    return this.#outdated.has(agent) ? this.changed(agent) : outcome
  }

  close(): void {
    this.#ended.abort()
  }

  async #apply(agent: AgentKey): Promise<SettingsOutcome> {
    await this.#lifecycle.forgiveFailure(agent)
    const needed = await this.#need(agent)
    if (needed !== 'restart') return needed
    if (!this.#outdated.has(agent) && (await this.#applyLive(agent))) return 'applied'

    this.#lifecycle.tellSettings(agent, 'restarting')
    const { clock, logger } = this.#context
    await within(clock, LONGEST_WAIT_MS, this.#ended.signal, (signal) =>
      this.#activity.whenIdle(agent, signal)
    ).catch(() => logger.info({ agent }, 'An agent is never idle: its new settings interrupt it'))
    this.#ended.signal.throwIfAborted()
    /** Whatever changes from here on may be too late for this restart, and asks for its own. */
    this.#waiting.delete(agent)
    const stillNeeded = await this.#need(agent)
    if (stillNeeded !== 'restart') return stillNeeded
    this.#outdated.delete(agent)
    await this.#lifecycle.restartAndWait(agent)
    return 'restarted'
  }

  /** A run in flight survives it, so nothing has to be waited for. */
  async #applyLive(agent: AgentKey): Promise<boolean> {
    const applied = await this.#lifecycle.whileRunning(agent, async (row, gateway) => {
      const documentHash = row.documentHash
        ? await this.#live.apply(gateway, agent, row.documentHash)
        : null
      if (documentHash) await this.#lifecycle.rows.save(row, { documentHash })
      return documentHash !== null
    })
    return applied === true
  }

  #forget(agent: AgentKey, outcome: Promise<SettingsOutcome>): void {
    if (this.#waiting.get(agent) === outcome) this.#waiting.delete(agent)
  }

  async #need(agent: AgentKey): Promise<'restart' | Exclude<SettingsOutcome, 'restarted'>> {
    /** A wake in flight may have taken the former document. */
    await this.#lifecycle.settled(agent)
    const row = await this.#lifecycle.rows.find(agent)
    if (!row || !isUp(row)) {
      this.#outdated.delete(agent)
      return 'asleep'
    }
    try {
      const { hash } = await this.#context.documents.forAgent(agent)
      const isSame = hash === row.documentHash && !this.#outdated.has(agent)
      return isSame ? 'unchanged' : 'restart'
    } catch (error) {
      if (error instanceof E_NO_PROVIDER) return 'no_provider'
      throw error
    }
  }
}

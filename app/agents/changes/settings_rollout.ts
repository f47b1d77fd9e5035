import LlmProvider from '#models/llm_provider'
import SystemContainer from '#models/system_container'
import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import { within } from '#timing/deadline'
import type { LeaseManager } from '#agents/leases/lease_manager'
import type { LocalState } from '#agents/state/local_state'
import { isUp, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey, GatewayAccess, SettingsOutcome, WakeProgress } from '#agents/types'
import { E_NO_PROVIDER } from '#openclaw/errors'

/** An agent that is never idle in this time is drained with the settings' grace instead. */
const LONGEST_WAIT_MS = 10 * 60_000

/** New messages wait so long for new settings. OpenClaw takes them over within a second. */
const ADMISSION_MS = 10_000

/** Settings that differ again after each of so many rounds, with no change told meanwhile, never settle. */
const MOST_FUTILE_ROUNDS = 4
/** The pause after the first of them, in milliseconds; each further one is four times as long. */
const FIRST_PAUSE_MS = 250

/** Brings the present document to a gateway that runs, as `LiveSettings.apply`. */
export interface LiveChange {
  apply(gateway: GatewayAccess, agent: AgentKey, formerHash: string): Promise<string | null>
}

export interface SettingsRolloutParts {
  rows: AgentRepository
  leases: LeaseManager
  local: LocalState
  /** As `AgentActivity`. */
  activity: { whenIdle(agent: AgentKey, signal: AbortSignal): Promise<void> }
  /** As `AgentLifecycle`. */
  lifecycle: {
    restartAndWait(
      agent: AgentKey,
      options: { onProgress: (progress: WakeProgress) => void }
    ): Promise<unknown>
  }
  live: LiveChange
}

/** Where one round led to; null where the settings have to be looked at once more. */
type Round = SettingsOutcome | null

/** What was changed on its way to one agent. */
class Rollout {
  declare outcome: Promise<SettingsOutcome>
  /** Whether a change was told that the present round may not have seen. */
  again = false
  /** What the agent got so far. */
  done: SettingsOutcome = 'unchanged'
  futileRounds = 0
  readonly #holds = new Set<() => void>()

  holdUntilAdmitted(release: () => void): void {
    this.#holds.add(release)
  }

  /** New messages find the new settings, or need not wait for them any longer. */
  admit(): void {
    for (const release of this.#holds) release()
    this.#holds.clear()
  }
}

/**
 * Brings what was changed to an agent that runs, above all its document. What OpenClaw takes over while it
 * runs, it is given; for the rest the agent is stopped once nothing is in flight, and started again. Its
 * conversations are in its state, which stays. It is done when the agent has what is stored by then: what
 * changes on the way, here or in another replica of Mosaic, is taken along.
 */
export class SettingsRollout {
  readonly #context: Pick<AgentsContext, 'clock' | 'documents' | 'logger' | 'random' | 'rollouts'>
  readonly #parts: SettingsRolloutParts
  readonly #rollouts = new Map<AgentKey, Rollout>()
  /** Agents that need a new instance even if their document is unchanged. */
  readonly #outdated = new Set<AgentKey>()
  readonly #ended = new AbortController()

  constructor(
    context: Pick<AgentsContext, 'clock' | 'documents' | 'logger' | 'random' | 'rollouts'>,
    parts: SettingsRolloutParts
  ) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * Call it after each change of what an agent starts from. Changes that come at once share a rollout, and
   * each of them is in when it ends. Never throws.
   */
  changed(agent: AgentKey): Promise<SettingsOutcome> {
    const present = this.#rollouts.get(agent)
    const rollout = present ?? new Rollout()
    rollout.again = true
    this.#holdMessages(agent, rollout)
    if (present) return present.outcome

    this.#rollouts.set(agent, rollout)
    rollout.outcome = this.#run(agent, rollout).finally(() => {
      this.#rollouts.delete(agent)
      rollout.admit()
    })
    void rollout.outcome.then((told) => this.#tell(agent, told))
    return rollout.outcome
  }

  /**
   * As `changed`, after a change of what its instance is made of: its limits. No gateway takes that over while
   * it runs.
   */
  remade(agent: AgentKey): Promise<SettingsOutcome> {
    this.#outdated.add(agent)
    return this.changed(agent)
  }

  close(): void {
    this.#ended.abort()
  }

  #holdMessages(agent: AgentKey, rollout: Rollout): void {
    const { clock, rollouts } = this.#context
    const release = rollouts.hold(agent)
    const cancelTimer = clock.after(ADMISSION_MS, release, { background: true })
    rollout.holdUntilAdmitted(() => {
      cancelTimer()
      release()
    })
  }

  async #run(agent: AgentKey, rollout: Rollout): Promise<SettingsOutcome> {
    try {
      for (;;) {
        rollout.futileRounds = rollout.again ? 0 : rollout.futileRounds + 1
        if (rollout.futileRounds > MOST_FUTILE_ROUNDS) {
          this.#context.logger.warn({ agent }, 'The settings of an agent differ after each rollout')
          return rollout.done
        }
        await this.#pause(rollout)
        rollout.again = false
        const outcome = await this.#round(agent, rollout).catch((error: unknown) => {
          /** A start that failed has its own back-off, and its owner is told why. */
          if (error instanceof AgentUnavailable || this.#ended.signal.aborted) throw error
          if (rollout.futileRounds === MOST_FUTILE_ROUNDS) throw error
          return null
        })
        if (outcome && !rollout.again) return outcome
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) {
        const message = 'Could not bring new settings to an agent'
        this.#context.logger.warn({ err: error, agent }, message)
      }
      return 'failed'
    }
  }

  /** Copies that change an agent by turns must not do it in step. */
  async #pause({ futileRounds }: Rollout): Promise<void> {
    if (futileRounds < 2) return
    const { clock, random } = this.#context
    const longest = FIRST_PAUSE_MS * 4 ** (futileRounds - 2)
    await clock.wait(longest * (0.5 + random() / 2), this.#ended.signal)
  }

  async #round(agent: AgentKey, rollout: Rollout): Promise<Round> {
    await this.#forgiveFailure(agent)
    const needed = await this.#need(agent)
    if (needed !== 'restart') return needed === 'unchanged' ? rollout.done : needed
    if (!this.#outdated.has(agent) && (await this.#applyLive(agent))) {
      rollout.done = 'applied'
      return null
    }
    return this.#restart(agent, rollout)
  }

  async #restart(agent: AgentKey, rollout: Rollout): Promise<Round> {
    this.#tell(agent, 'restarting')
    const { clock, logger } = this.#context
    await within(clock, LONGEST_WAIT_MS, this.#ended.signal, (signal) =>
      this.#parts.activity.whenIdle(agent, signal)
    ).catch(() => logger.info({ agent }, 'An agent is never idle: its new settings interrupt it'))
    this.#ended.signal.throwIfAborted()
    /** The restart takes along what has changed until here. */
    rollout.again = false
    const needed = await this.#need(agent)
    if (needed !== 'restart') return needed === 'unchanged' ? rollout.done : needed
    this.#outdated.delete(agent)
    /** Whoever asks from the wake on joins it, and what changes meanwhile is its to see. */
    await this.#parts.lifecycle.restartAndWait(agent, { onProgress: () => rollout.admit() })
    rollout.done = 'restarted'
    return null
  }

  /** A run in flight survives it, so nothing has to be waited for but others who change the agent. */
  async #applyLive(agent: AgentKey): Promise<boolean> {
    const { rows, leases, live } = this.#parts
    const apply = async (): Promise<boolean> => {
      const row = await rows.find(agent)
      const token = await row?.open('gatewayToken')
      if (row?.status !== 'running' || !row.endpoint || !row.documentHash || !token) return false
      const gateway = { url: row.endpoint, token }
      const documentHash = await live.apply(gateway, agent, row.documentHash)
      if (documentHash) await rows.save(row, { documentHash })
      return documentHash !== null
    }
    return within(this.#context.clock, LONGEST_WAIT_MS, this.#ended.signal, (signal) =>
      leases.hold(agent, apply, signal)
    )
  }

  /** Clears the back-off, because the owner may have fixed the cause. */
  async #forgiveFailure(agent: AgentKey): Promise<void> {
    const { rows, leases } = this.#parts
    await leases.tryHold(agent, async () => {
      const row = await rows.find(agent)
      if (row?.status !== 'error' || (!row.retryAt && row.crashCount === 0)) return
      await rows.save(row, { retryAt: null, crashCount: 0 })
    })
  }

  #tell(agent: AgentKey, outcome: SettingsOutcome): void {
    this.#parts.local.events.emit(agent, { type: 'settings', outcome })
  }

  async #need(agent: AgentKey): Promise<'restart' | Exclude<SettingsOutcome, 'restarted'>> {
    /** A wake in flight may have taken the former document. */
    await this.#parts.local.settled(agent)
    const row = await this.#parts.rows.find(agent)
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

/** The agents whose document a user's providers or wishes are part of. */
export async function agentsOf(userId: string): Promise<AgentKey[]> {
  const systems = await SystemContainer.query()
    .select('id')
    .whereIn('provider_id', LlmProvider.ownedBy(userId).select('id'))
  return [`user/${userId}`, ...systems.map((row) => `system/${row.id}` as const)]
}

import LlmProvider from '#models/llm_provider'
import SystemContainer from '#models/system_container'
import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import { within } from '#timing/deadline'
import type { LeaseManager } from '#agents/leases/lease_manager'
import type { LocalState } from '#agents/state/local_state'
import { isUp, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey, SettingsOutcome, WakeProgress } from '#agents/types'
import { E_NO_PROVIDER } from '#openclaw/errors'

/**
 * How long a rollout waits for the agent to become idle before it drains the agent with the settings'
 * grace.
 */
const LONGEST_WAIT_MS = 10 * 60_000

/** How long new messages wait for new settings. OpenClaw applies them within a second. */
const ADMISSION_MS = 10_000

/** Rounds without a reported change after which settings that still differ are considered unstable. */
const MOST_FUTILE_ROUNDS = 4
/** The pause after the first such round, in milliseconds. Each further pause is four times as long. */
const FIRST_PAUSE_MS = 250

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
}

type RolloutContext = Pick<
  AgentsContext,
  'clock' | 'documents' | 'live' | 'logger' | 'random' | 'rollouts'
>

/** The result of one round; null if the settings must be checked again. */
type Round = SettingsOutcome | null

/** One agent's rollout in progress. */
class Rollout {
  declare outcome: Promise<SettingsOutcome>
  /** Whether a change arrived that the current round may have missed. */
  again = false
  /** What has reached the agent so far. */
  done: SettingsOutcome = 'unchanged'
  futileRounds = 0
  readonly #holds = new Set<() => void>()

  holdUntilAdmitted(release: () => void): void {
    this.#holds.add(release)
  }

  /** Releases held messages: the new settings are active, or the wait was long enough. */
  admit(): void {
    for (const release of this.#holds) release()
    this.#holds.clear()
  }
}

/**
 * Brings changes, above all a new document, to a running agent. OpenClaw applies some of them while it
 * runs; the rest require a restart once no request is in flight. Conversations are part of the agent's
 * state, which persists. A rollout is done when the agent has the stored settings, including changes
 * made during the rollout, here or in another replica of Mosaic.
 */
export class SettingsRollout {
  readonly #context: RolloutContext
  readonly #parts: SettingsRolloutParts
  readonly #rollouts = new Map<AgentKey, Rollout>()
  /** Agents that need a new instance even if their document is unchanged. */
  readonly #outdated = new Set<AgentKey>()
  readonly #ended = new AbortController()

  constructor(context: RolloutContext, parts: SettingsRolloutParts) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * Call it after each change of an agent's start settings. Simultaneous changes share a rollout, which
   * ends only when all of them are applied. Never throws.
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

  /** As `changed`, but after a change of the agent's limits, which no gateway can apply while it runs. */
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
          /** A failed start has its own back-off, and its owner sees the reason. */
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

  /** Random pauses keep replicas that change the same agent in turn from doing so in lockstep. */
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
    /** The restart includes all changes up to here. */
    rollout.again = false
    const needed = await this.#need(agent)
    if (needed !== 'restart') return needed === 'unchanged' ? rollout.done : needed
    this.#outdated.delete(agent)
    /** Requests from here on join the wake, and the wake picks up later changes itself. */
    await this.#parts.lifecycle.restartAndWait(agent, { onProgress: () => rollout.admit() })
    rollout.done = 'restarted'
    return null
  }

  /** Runs in flight survive a live change, so this waits only for the lease. */
  async #applyLive(agent: AgentKey): Promise<boolean> {
    const { rows, leases } = this.#parts
    const { live } = this.#context
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
    /** A wake in flight may have loaded the previous document. */
    await this.#parts.local.settled(agent)
    const row = await this.#parts.rows.find(agent)
    /** A resting agent gets them when it resumes. */
    if (!row || !isUp(row) || row.status === 'suspended') {
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

/** Returns the agents whose documents include a user's providers or preferences. */
export async function agentsOf(userId: string): Promise<AgentKey[]> {
  const systems = await SystemContainer.query()
    .select('id')
    .whereIn('provider_id', LlmProvider.ownedBy(userId).select('id'))
  return [`user/${userId}`, ...systems.map((row) => `system/${row.id}` as const)]
}

import { Exception } from '@adonisjs/core/exceptions'
import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import { reasonOf } from '#agents/state/failure_reasons'
import type { WakeFailures } from '#agents/waking/wake_failures'
import { LeaseLost, type Lease, type LeaseManager } from '#agents/leases/lease_manager'
import type { AgentMetrics } from '#agents/metrics'
import type { LocalState } from '#agents/state/local_state'
import { instanceName, type AgentRepository } from '#agents/state/agent_repository'
import type { SharedWakes } from '#agents/waking/shared_wakes'
import type { Attempt } from '#agents/instances/start_plan'
import type { AgentStarter } from '#agents/waking/starter'
import { isDatabaseAway } from '#exceptions/database_away'
import type { AgentKey, GatewayAccess, WakeProgress, WakeReason } from '#agents/types'
import { raceSignal } from '#timing/race_signal'
import { isExplicit, Wake, WakeAbandoned, WakeCancelled } from '#agents/state/wake'

export interface EnsureOptions {
  /** Ends this caller's wait. The wake continues: other callers may have joined or may still join. */
  signal?: AbortSignal
  onProgress?: (progress: WakeProgress) => void
  /** The purpose of the wake. */
  reason?: WakeReason
}

export interface WakerParts {
  rows: AgentRepository
  leases: LeaseManager
  local: LocalState
  sharedWakes: SharedWakes
  starter: AgentStarter
  failures: WakeFailures
  metrics: AgentMetrics
}

/** Wakes agents. An agent has one wake at a time; callers that arrive meanwhile join it. */
export class Waker {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger'>
  readonly #parts: WakerParts
  #closed = false

  constructor(context: Pick<AgentsContext, 'clock' | 'logger'>, parts: WakerParts) {
    this.#context = context
    this.#parts = parts
  }

  /** Returns the agent's wake in flight, or begins one. It runs whether or not a caller waits for it. */
  begin(agent: AgentKey, reason: WakeReason): Wake {
    const { local } = this.#parts
    const { wakes } = local
    const present = wakes.get(agent)
    if (present) {
      present.explicit ||= isExplicit(reason)
      return present
    }
    const wake = new Wake(agent, reason, this.#context.clock)
    if (this.#closed) wake.end(new WakeAbandoned())
    wake.listen((progress) => local.tellProgress(agent, progress))
    wakes.set(agent, wake)
    wake.result = watched(this.#run(wake))
    return wake
  }

  /** Waits for a wake that others may share. */
  async join(wake: Wake, { signal, onProgress }: EnsureOptions): Promise<GatewayAccess> {
    signal?.throwIfAborted()
    const stopListening = onProgress && wake.listen(onProgress)
    try {
      return await raceSignal(wake.result, signal)
    } finally {
      stopListening?.()
    }
  }

  /** As `AgentLifecycle.cancel`. */
  async cancel(agent: AgentKey): Promise<void> {
    const { sharedWakes, local } = this.#parts
    await sharedWakes.requestCancel(agent)
    const wake = local.wakes.get(agent)
    if (!wake) return
    wake.end(new WakeCancelled())
    await wake.result.catch(() => {})
  }

  /** Releases the callers. The next Mosaic resumes wakes that were under way. */
  async close(): Promise<void> {
    this.#closed = true
    const wakes = [...this.#parts.local.wakes.values()]
    for (const wake of wakes) wake.end(new WakeAbandoned())
    await Promise.allSettled(wakes.map((wake) => wake.result))
  }

  async #run(wake: Wake): Promise<GatewayAccess> {
    const { agent } = wake
    const { rows, leases, sharedWakes, local } = this.#parts
    try {
      await rows.provide(agent)
      return await leases.holdAgain(
        agent,
        (lease) => sharedWakes.lead(wake, () => this.#attempt(wake, lease)),
        wake.cancelled,
        sharedWakes.follow(wake)
      )
    } catch (error) {
      if (error instanceof Exception && !isDatabaseAway(error)) throw error
      /** The wake failed before or without the lease, so there is nothing to undo. */
      const reason = wake.cancelled.aborted ? 'cancelled' : reasonOf(error)
      if (reason === 'internal') this.#context.logger.error({ err: error, agent }, 'A wake failed')
      throw new AgentUnavailable(reason, { cause: error })
    } finally {
      local.wakes.delete(agent)
      void local.tellPresent(agent)
    }
  }

  async #attempt(wake: Wake, lease: Lease): Promise<GatewayAccess> {
    const { rows, local, starter, failures, metrics } = this.#parts
    wake.begin(lease)
    const row = await rows.load(wake.agent)
    if (!wake.explicit) failures.respectBackOff(row)

    local.tellStatus(row)
    const attempt: Attempt = { row, driver: null, making: null }
    try {
      const access = (await starter.followed(wake, row)) ?? (await starter.start(wake, attempt))
      local.warm.set(wake.agent, access)
      local.names.set(instanceName(row), wake.agent)
      metrics.wakeEnded({ outcome: 'ready', ...wake.summary() })
      return access
    } catch (error) {
      lease.signal.throwIfAborted()
      if (error instanceof LeaseLost) throw error
      const failure = await failures.settle(attempt, error)
      metrics.wakeEnded({ outcome: failure.reason, ...wake.summary() })
      throw failure
    }
  }
}

/** Marks a promise as handled elsewhere: its failure is recorded in the row and the log. */
export function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

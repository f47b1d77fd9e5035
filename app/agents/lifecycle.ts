import type { AgentActivity } from '#agents/state/activity'
import type { AgentsContext } from '#agents/context'
import { AgentUnavailable } from '#agents/state/errors'
import type { AgentListener } from '#agents/state/agent_events'
import type { LocalState } from '#agents/state/local_state'
import type { AgentRepository } from '#agents/state/agent_repository'
import type { SharedWakes } from '#agents/waking/shared_wakes'
import type { StopRequests } from '#agents/stopping/stop_requests'
import type { AgentKey, AgentRow, AgentView, GatewayAccess } from '#agents/types'
import { watched, type EnsureOptions, type Waker } from '#agents/waking/waker'

export interface AgentLifecycleParts {
  rows: AgentRepository
  local: LocalState
  sharedWakes: SharedWakes
  waker: Waker
  stopRequests: StopRequests
  activity: AgentActivity
  /** As `InstanceObserver`. */
  observer: { isThere(row: AgentRow): Promise<boolean> }
}

/** Starts and stops agents, one change of an agent at a time. */
export class AgentLifecycle {
  readonly #context: Pick<AgentsContext, 'settings' | 'rollouts'>
  readonly #parts: AgentLifecycleParts

  constructor(context: Pick<AgentsContext, 'settings' | 'rollouts'>, parts: AgentLifecycleParts) {
    this.#context = context
    this.#parts = parts
  }

  /**
   * Returns the agent's gateway, ready for traffic. For a running agent that is one map lookup.
   * Otherwise the agent wakes, and callers that arrive meanwhile join that wake.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT, the signal's reason
   */
  ensureRunning(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    const access = this.peek(agent)
    if (access) return Promise.resolve(access)
    const { waker } = this.#parts
    return waker.join(waker.begin(agent, options.reason ?? 'message'), options)
  }

  /** Returns a running agent's gateway, or null if this process knows of none. */
  peek(agent: AgentKey): GatewayAccess | null {
    return this.#parts.local.warm.get(agent) ?? null
  }

  /**
   * Returns a running agent's gateway, whichever replica started it; null for another agent, which is not woken.
   * The runtime confirms what only the row says: its address may be another agent's by now.
   */
  async running(agent: AgentKey): Promise<GatewayAccess | null> {
    const known = this.peek(agent)
    if (known) return known
    const { rows, observer } = this.#parts
    const row = await rows.find(agent)
    if (row?.status !== 'running' || !row.endpoint || !(await observer.isThere(row))) return null
    return { url: row.endpoint, token: (await row.open('gatewayToken'))! }
  }

  /** Whether the agent has never run, and so has no data; false as soon as its first wake has begun, on any replica. */
  async isNew(agent: AgentKey): Promise<boolean> {
    if (this.peek(agent)) return false
    const { runtime, status } = await this.describe(agent)
    return runtime === null && (status === 'stopped' || status === 'error')
  }

  /** Forgets the gateway's address; call it after any connection failure. The next call looks it up again. */
  invalidate(agent: AgentKey): void {
    this.#parts.local.warm.delete(agent)
  }

  /** Begins a start that a person requested, and returns. The row shows the outcome. */
  async start(agent: AgentKey): Promise<void> {
    if (!this.peek(agent)) this.#parts.waker.begin(agent, 'person')
  }

  /**
   * Starts because a person requested it: an earlier failure does not delay the start.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT
   */
  startAndWait(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    return this.ensureRunning(agent, { reason: 'person', ...options })
  }

  /**
   * Lets requests in flight end, then stops. Cancels a wake. Need not be awaited.
   *
   * @throws AgentUnavailable when the runtime does not end it
   */
  stop(agent: AgentKey): Promise<void> {
    return this.#parts.stopRequests.stop(agent).done
  }

  /** Begins a stop and a start with the current settings, and returns. */
  async restart(agent: AgentKey): Promise<void> {
    void watched(this.restartAndWait(agent))
  }

  /**
   * A stop request that arrives meanwhile cancels the restart.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT
   */
  async restartAndWait(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    const stop = this.#parts.stopRequests.stop(agent, 'running')
    await stop.done
    if (stop.desired !== 'running') throw new AgentUnavailable('cancelled')
    return this.startAndWait(agent, { reason: 'restart', ...options })
  }

  /**
   * Cancels a wake, and resolves when its cleanup is done. A wake of another replica ends a little later,
   * before any other holder gets the lease. A no-op without a wake.
   */
  cancel(agent: AgentKey): Promise<void> {
    return this.#parts.waker.cancel(agent)
  }

  /** Records user activity, which restarts the idle time. */
  keepAwake(agent: AgentKey): void {
    this.#parts.activity.touch(agent)
  }

  async describe(agent: AgentKey): Promise<AgentView> {
    const { local, rows, sharedWakes } = this.#parts
    local.policy = await this.#context.settings.get('agents.wakePolicy')
    const remote = await sharedWakes.progress(agent)
    return local.view(agent, await rows.find(agent), remote)
  }

  /** Subscribes to progress and status. During a wake the listener gets the current progress at once. */
  subscribe(agent: AgentKey, listener: AgentListener): () => void {
    return this.#parts.local.subscribe(agent, listener)
  }

  /** Settles when the pending settings rollout has reached the agent; null if none is pending. */
  rollout(agent: AgentKey): Promise<void> | null {
    return this.#context.rollouts.of(agent)
  }
}

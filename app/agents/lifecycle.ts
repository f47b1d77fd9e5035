import type { AgentActivity } from '#agents/state/activity'
import { DEFAULT_TIMEOUTS, type AgentsContext } from '#agents/context'
import { DatabaseRetry } from '#agents/leases/database_retry'
import { GatewayDrain } from '#agents/instances/gateway_drain'
import { ReplicaSync } from '#agents/state/replica_sync'
import { AgentUnavailable } from '#agents/state/errors'
import type { AgentListener } from '#agents/state/agent_events'
import { WakeFailures } from '#agents/waking/wake_failures'
import { GatewayProbe } from '#agents/instances/gateway_probe'
import { DatabaseLeaseStore } from '#agents/leases/lease_store'
import { LeaseManager } from '#agents/leases/lease_manager'
import type { AgentMetrics } from '#agents/metrics'
import { LocalState } from '#agents/state/local_state'
import { AgentRepository } from '#agents/state/agent_repository'
import { InstanceObserver } from '#agents/instances/instance_observer'
import { IdleStopper } from '#agents/stopping/idle_stopper'
import type { SharedStartGate } from '#agents/waking/shared_start_gate'
import { SharedWakes } from '#agents/waking/shared_wakes'
import { AgentStarter } from '#agents/waking/starter'
import { InstanceStopper } from '#agents/instances/instance_stopper'
import { StopRequests } from '#agents/stopping/stop_requests'
import type { AgentKey, AgentRow, AgentView, GatewayAccess, SettingsOutcome } from '#agents/types'
import { WakeDurations } from '#agents/waking/wake_durations'
import { watched, Waker, type EnsureOptions } from '#agents/waking/waker'

/** Starts and stops agents, one change of an agent at a time. */
export class AgentLifecycle {
  readonly rows: AgentRepository
  readonly probe: GatewayProbe
  readonly observer: InstanceObserver
  readonly idleStopper: IdleStopper

  readonly #context: AgentsContext
  readonly #activity: AgentActivity
  readonly #leases: LeaseManager
  readonly #local: LocalState
  readonly #shared: SharedWakes
  readonly #replicaSync: ReplicaSync
  readonly #wakes: Waker
  readonly #stops: StopRequests
  readonly #stopper: InstanceStopper

  constructor(
    context: Omit<AgentsContext, 'timeouts'> & Partial<Pick<AgentsContext, 'timeouts'>>,
    activity: AgentActivity,
    metrics: AgentMetrics
  ) {
    const databaseRetry = new DatabaseRetry(context)
    const whole = databaseRetry.wrap({ timeouts: DEFAULT_TIMEOUTS, ...context })
    this.#context = whole
    this.#activity = activity
    this.#local = new LocalState(activity)
    this.#leases = new LeaseManager(new DatabaseLeaseStore(whole), whole)
    this.rows = new AgentRepository(whole, databaseRetry)
    this.probe = new GatewayProbe(whole.clock, whole.fetch)
    this.#shared = new SharedWakes(whole, databaseRetry)
    this.#replicaSync = new ReplicaSync(whole, {
      wakes: this.#shared.registry,
      rows: this.rows,
      local: this.#local,
      activity,
    })
    const gatewayDrain = new GatewayDrain(whole, this.rows)
    const own = { rows: this.rows, leases: this.#leases, local: this.#local }
    this.#stopper = new InstanceStopper(whole, { ...own, activity, gatewayDrain })
    const failures = new WakeFailures(whole, this.rows, this.#stopper)
    const starter = new AgentStarter(whole, {
      ...own,
      gate: this.#shared.gate,
      probe: this.probe,
      wakeTimes: new WakeDurations(),
      startTimes: new WakeDurations(),
      gatewayDrain,
    })
    this.#wakes = new Waker(whole, {
      ...own,
      shared: this.#shared,
      starter,
      failures,
      metrics,
    })
    this.#stops = new StopRequests(whole, { ...own, stopper: this.#stopper, wakes: this.#wakes })
    this.idleStopper = new IdleStopper(whole, {
      ...own,
      activity,
      gatewayDrain,
      stops: this.#stops,
    })
    this.observer = new InstanceObserver(whole, { ...own, probe: this.probe, metrics })
  }

  /** Joins the replicas of Mosaic: from now on they see this one's work, and it sees theirs. */
  async open(): Promise<void> {
    await this.#context.replicas.join()
    this.#replicaSync.start()
  }

  get gate(): SharedStartGate {
    return this.#shared.gate
  }

  /** Agents that wake just now. */
  get waking(): number {
    return this.#local.wakes.size
  }

  /**
   * Returns the agent's gateway, ready for traffic. For a running agent that is one map lookup. Otherwise
   * the agent wakes, and callers that arrive meanwhile join that wake.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT, the signal's reason
   */
  ensureRunning(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    const access = this.#local.warm.get(agent)
    if (access) return Promise.resolve(access)
    return this.#wakes.join(this.#wakes.begin(agent, options.reason ?? 'message'), options)
  }

  /** The gateway of a running agent, or null if this process knows of none. */
  peek(agent: AgentKey): GatewayAccess | null {
    return this.#local.warm.get(agent) ?? null
  }

  /** Forgets the gateway's address, after any failure to connect. The next call looks it up again. */
  invalidate(agent: AgentKey): void {
    this.#local.warm.delete(agent)
  }

  /** Begins a start that a person requested, and returns. The row shows the outcome. */
  async start(agent: AgentKey): Promise<void> {
    if (!this.peek(agent)) this.#wakes.begin(agent, 'person')
  }

  /**
   * Starts because a person requested it: an earlier failure does not delay the start.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT
   */
  async startAndWait(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    const present = this.peek(agent)
    return (
      present ?? this.#wakes.join(this.#wakes.begin(agent, options.reason ?? 'person'), options)
    )
  }

  /**
   * Lets requests in flight end, then stops. Cancels a wake. Need not be awaited.
   *
   * @throws AgentUnavailable when the runtime does not end it
   */
  stop(agent: AgentKey): Promise<void> {
    return this.#stops.stop(agent).done
  }

  /** Begins a stop and a start with the present settings, and returns. */
  async restart(agent: AgentKey): Promise<void> {
    void watched(this.restartAndWait(agent))
  }

  /**
   * A stop request that arrives meanwhile cancels the restart.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT
   */
  async restartAndWait(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    const stop = this.#stops.stop(agent, 'running')
    await stop.done
    if (stop.desired !== 'running') throw new AgentUnavailable('cancelled')
    return this.startAndWait(agent, { reason: 'restart', ...options })
  }

  /**
   * Cancels a wake, and resolves when its cleanup is done. A wake of another replica ends a little later,
   * before any other holder gets the lease. A no-op without a wake.
   */
  cancel(agent: AgentKey): Promise<void> {
    return this.#wakes.cancel(agent)
  }

  /** Records an act of the user, which restarts the time until the idle stop. */
  keepAwake(agent: AgentKey): void {
    this.#activity.touch(agent)
  }

  async describe(agent: AgentKey): Promise<AgentView> {
    this.#local.policy = await this.#context.settings.get('agents.wakePolicy')
    const elsewhere = await this.#shared.progress(agent)
    return this.#local.view(agent, await this.rows.find(agent), elsewhere)
  }

  /** Subscribes to progress and status. During a wake the listener gets the present progress at once. */
  subscribe(agent: AgentKey, listener: AgentListener): () => void {
    const progress = this.#local.wakes.get(agent)?.progress
    if (progress) listener({ type: 'progress', progress })
    return this.#local.events.subscribe(agent, listener)
  }

  /** Whether this process is changing the agent at this moment. */
  isBusy(agent: AgentKey): boolean {
    return this.#local.wakes.has(agent) || this.#leases.isHeld(agent)
  }

  /**
   * Stops an agent that should not run, or that a dead replica half stopped, unless a change is under way.
   * Returns whether it stopped the agent.
   */
  async stopUnwanted(agent: AgentKey): Promise<boolean> {
    return !this.isBusy(agent) && this.#stops.stopUnwanted(agent)
  }

  /**
   * Frees the leases of replicas that died while they changed an agent, and returns their number. A lease
   * counts as abandoned only some time after the first look, so call it repeatedly.
   */
  async takeOver(): Promise<number> {
    const abandoned = await this.#leases.abandoned()
    for (const agent of abandoned) await this.#leases.tryHold(agent, async () => {})
    return abandoned.length
  }

  /**
   * Runs `work` on a running agent under its lease; null if the agent does not run. Waits for the lease;
   * the signal ends the wait.
   */
  whileRunning<T>(
    agent: AgentKey,
    signal: AbortSignal,
    work: (row: AgentRow, gateway: GatewayAccess) => Promise<T>
  ): Promise<T | null> {
    const attempt = async () => {
      const row = await this.rows.find(agent)
      const token = await row?.open('gatewayToken')
      if (row?.status !== 'running' || !row.endpoint || !token) return null
      return work(row, { url: row.endpoint, token })
    }
    return this.#leases.hold(agent, attempt, signal)
  }

  /** Settles when the pending rollout of settings has reached the agent; null if none is pending. */
  rollout(agent: AgentKey): Promise<void> | null {
    return this.#context.rollouts.of(agent)
  }

  /** Tells subscribers of the agent how new settings reach it. */
  tellSettings(agent: AgentKey, outcome: SettingsOutcome): void {
    this.#local.events.emit(agent, { type: 'settings', outcome })
  }

  /** Ends an unwanted instance, unless the agent runs by then. */
  endUnwanted(agent: AgentKey): Promise<void> {
    return this.#stopper.endUnwanted(agent)
  }

  /** The agent of an instance that was up when this process last saw it, or null. */
  agentNamed(instance: string): AgentKey | null {
    return this.#local.names.get(instance) ?? null
  }

  /** Resolves when no wake is in flight, whatever its outcome. */
  async settled(agent: AgentKey): Promise<void> {
    await this.#local.wakes.get(agent)?.result.catch(() => {})
  }

  /** Clears the back-off, because the owner may have fixed the cause. */
  async forgiveFailure(agent: AgentKey): Promise<void> {
    await this.#leases.tryHold(agent, async () => {
      const row = await this.rows.find(agent)
      if (row?.status !== 'error' || (!row.retryAt && row.crashCount === 0)) return
      await this.rows.save(row, { retryAt: null, crashCount: 0 })
    })
  }

  /** Releases callers because Mosaic ends. Instances keep running; the next Mosaic finds them. */
  async close(): Promise<void> {
    this.#replicaSync.close()
    await this.#wakes.close()
  }
}

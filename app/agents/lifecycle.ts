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
import { AgentTurns } from '#agents/leases/turns'
import type { AgentKey, AgentRow, AgentView, GatewayAccess, SettingsOutcome } from '#agents/types'
import { WakeDurations } from '#agents/waking/wake_durations'
import { Waker, type EnsureOptions } from '#agents/waking/waker'
import { watched } from '#agents/waking/watched'

/** Brings agents up and down, one change of an agent at a time. */
export class AgentLifecycle {
  readonly rows: AgentRepository
  readonly probe: GatewayProbe
  readonly sightings: InstanceObserver
  readonly sleeper: IdleStopper

  readonly #context: AgentsContext
  readonly #activity: AgentActivity
  readonly #leases: LeaseManager
  readonly #presence: LocalState
  readonly #shared: SharedWakes
  readonly #elsewhere: ReplicaSync
  readonly #wakes: Waker
  readonly #stops: StopRequests

  constructor(
    context: Omit<AgentsContext, 'timeouts'> & Partial<Pick<AgentsContext, 'timeouts'>>,
    activity: AgentActivity,
    metrics: AgentMetrics
  ) {
    const patience = new DatabaseRetry(context)
    const whole = patience.over({ timeouts: DEFAULT_TIMEOUTS, ...context })
    this.#context = whole
    this.#activity = activity
    this.#presence = new LocalState(activity)
    this.#leases = new LeaseManager(new DatabaseLeaseStore(whole), whole)
    this.rows = new AgentRepository(whole, patience)
    this.probe = new GatewayProbe(whole.clock, whole.fetch)
    this.#shared = new SharedWakes(whole, patience)
    this.#elsewhere = new ReplicaSync(whole, {
      wakes: this.#shared.board,
      rows: this.rows,
      presence: this.#presence,
      activity,
    })
    const doors = new GatewayDrain(whole, this.rows)
    const own = { rows: this.rows, leases: this.#leases, presence: this.#presence }
    const turns = new AgentTurns(whole, this.#leases)
    const stopper = new InstanceStopper(whole, { ...own, activity, doors })
    const failures = new WakeFailures(whole, this.rows, stopper, (agent) => this.endUnwanted(agent))
    const starter = new AgentStarter(whole, {
      ...own,
      gate: this.#shared.gate,
      probe: this.probe,
      wakeTimes: new WakeDurations(),
      startTimes: new WakeDurations(),
      doors,
    })
    this.#wakes = new Waker(whole, {
      ...own,
      turns,
      shared: this.#shared,
      starter,
      failures,
      metrics,
    })
    this.#stops = new StopRequests(whole, { ...own, turns, stopper, wakes: this.#wakes })
    this.sleeper = new IdleStopper(whole, {
      ...own,
      activity,
      doors,
      stop: (row) => this.#stops.end(row),
    })
    this.sightings = new InstanceObserver(whole, { ...own, probe: this.probe, metrics })
  }

  /** Takes part in what the copies of Mosaic tell each other, from now on. */
  async open(): Promise<void> {
    await this.#context.copies.join()
    this.#elsewhere.start()
  }

  get gate(): SharedStartGate {
    return this.#shared.gate
  }

  /** Agents that wake just now. */
  get waking(): number {
    return this.#presence.wakes.size
  }

  /**
   * The agent's gateway, ready for traffic. An agent that runs costs a look into a map; one that does
   * not is woken, and whoever asks meanwhile joins that wake.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT, the signal's reason
   */
  ensureRunning(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    const access = this.#presence.warm.get(agent)
    if (access) return Promise.resolve(access)
    return this.#wakes.join(this.#wakes.begin(agent, options.reason ?? 'message'), options)
  }

  /** The gateway of an agent that runs, as far as this process knows, or null. */
  peek(agent: AgentKey): GatewayAccess | null {
    return this.#presence.warm.get(agent) ?? null
  }

  /** Forgets where the gateway is, after any failure to connect. The next call looks anew. */
  invalidate(agent: AgentKey): void {
    this.#presence.warm.delete(agent)
  }

  /** Begins to start because a person asked, and comes back. What becomes of it is in the row. */
  async start(agent: AgentKey): Promise<void> {
    if (!this.peek(agent)) this.#wakes.begin(agent, 'person')
  }

  /**
   * Starts because a person asked: an earlier failure does not delay it.
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
   * Lets what is in flight end, then stops. A wake is called off. Need not be awaited.
   *
   * @throws AgentUnavailable when the runtime does not end it
   */
  stop(agent: AgentKey): Promise<void> {
    return this.#stops.stop(agent).done
  }

  /** Begins to stop, to start from the present settings, and comes back. */
  async restart(agent: AgentKey): Promise<void> {
    void watched(this.restartAndWait(agent))
  }

  /**
   * A stop that is asked for meanwhile calls it off.
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
   * Calls a wake off, and resolves when nothing of it is left; one of another copy of Mosaic ends a little
   * later, before anyone else gets at the agent. Without a wake it does nothing.
   */
  cancel(agent: AgentKey): Promise<void> {
    return this.#wakes.cancel(agent)
  }

  /** Notes an act of the user: the time until the agent falls asleep begins anew. */
  keepAwake(agent: AgentKey): void {
    this.#activity.touch(agent)
  }

  async describe(agent: AgentKey): Promise<AgentView> {
    this.#presence.policy = await this.#context.settings.get('agents.wakePolicy')
    const elsewhere = await this.#shared.progress(agent)
    return this.#presence.view(agent, await this.rows.find(agent), elsewhere)
  }

  /** Hears of progress and status from now on. The present progress, if it wakes, is told at once. */
  subscribe(agent: AgentKey, listener: AgentListener): () => void {
    const progress = this.#presence.wakes.get(agent)?.progress
    if (progress) listener({ type: 'progress', progress })
    return this.#presence.events.subscribe(agent, listener)
  }

  /** Whether someone in this process is changing the agent just now. */
  isBusy(agent: AgentKey): boolean {
    return this.#presence.wakes.has(agent) || this.#leases.isHeld(agent)
  }

  /**
   * Stops an agent that should not run, or that someone who is gone had half stopped, unless someone is
   * changing it. Tells whether it did.
   */
  async stopUnwanted(agent: AgentKey): Promise<boolean> {
    return !this.isBusy(agent) && this.#stops.stopUnwanted(agent)
  }

  /**
   * Takes over from copies of Mosaic that ended in the middle of changing an agent, so that whoever wants
   * it may. Tells how many agents that were. A copy is known to be gone only some time after the first look.
   */
  async takeOver(): Promise<number> {
    const abandoned = await this.#leases.abandoned()
    for (const agent of abandoned) await this.#leases.tryHold(agent, async () => {})
    return abandoned.length
  }

  /**
   * Works on an agent that runs, under the lease; null where it does not run. Waits for whoever is changing it;
   * the signal ends the waiting.
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

  /** Settles when new settings that are on their way have reached the agent; null when there are none. */
  rollout(agent: AgentKey): Promise<void> | null {
    return this.#context.rollouts.of(agent)
  }

  /** Tells whoever watches the agent how new settings reach it. */
  tellSettings(agent: AgentKey, outcome: SettingsOutcome): void {
    this.#presence.events.emit(agent, { type: 'settings', outcome })
  }

  /** Ends an instance that nobody wants, unless the agent runs by then. */
  endUnwanted(agent: AgentKey): Promise<void> {
    return this.#stops.endUnwanted(agent)
  }

  /** The agent of an instance that was up when this process last saw it, or null. */
  agentNamed(instance: string): AgentKey | null {
    return this.#presence.names.get(instance) ?? null
  }

  /** Resolves when no wake is in flight, however it ended. */
  async settled(agent: AgentKey): Promise<void> {
    await this.#presence.wakes.get(agent)?.result.catch(() => {})
  }

  /** Lets the next call try at once: its owner changed what may have been the cause. */
  async forgiveFailure(agent: AgentKey): Promise<void> {
    await this.#leases.tryHold(agent, async () => {
      const row = await this.rows.find(agent)
      if (row?.status !== 'error' || (!row.retryAt && row.crashCount === 0)) return
      await this.rows.save(row, { retryAt: null, crashCount: 0 })
    })
  }

  /** Mosaic ends: callers are let go, instances go on and are found again. */
  async close(): Promise<void> {
    this.#elsewhere.close()
    await this.#wakes.close()
  }
}

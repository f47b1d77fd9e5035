import type { AgentActivity } from '#agents/activity'
import { DEFAULT_TIMEOUTS, type AgentsContext } from '#agents/context'
import { DatabasePatience } from '#agents/database_patience'
import { AgentDoors } from '#agents/doors'
import { Elsewhere } from '#agents/elsewhere'
import { AgentUnavailable } from '#agents/errors'
import type { AgentListener } from '#agents/events'
import { WakeFailures } from '#agents/failures'
import { GatewayProbe } from '#agents/gateway_probe'
import { LeaseRows } from '#agents/lease_rows'
import { AgentLeases, HELD } from '#agents/leases'
import type { AgentMetrics } from '#agents/metrics'
import { AgentPresence } from '#agents/presence'
import { AgentRows } from '#agents/rows'
import { AgentSightings } from '#agents/sightings'
import { AgentSleeper } from '#agents/sleeper'
import type { SharedGate } from '#agents/shared_gate'
import { SharedWakes } from '#agents/shared_wakes'
import { AgentStarter } from '#agents/starter'
import { AgentStopper } from '#agents/stopper'
import { AgentStops } from '#agents/stops'
import { AgentTurns } from '#agents/turns'
import type { AgentKey, AgentRow, AgentView, GatewayAccess, SettingsOutcome } from '#agents/types'
import { WakeTimes } from '#agents/wake_times'
import { AgentWakes, type EnsureOptions } from '#agents/wakes'
import { watched } from '#agents/watched'

/** Brings agents up and down, one change of an agent at a time. */
export class AgentLifecycle {
  readonly rows: AgentRows
  readonly probe: GatewayProbe
  readonly sightings: AgentSightings
  readonly sleeper: AgentSleeper

  readonly #context: AgentsContext
  readonly #activity: AgentActivity
  readonly #leases: AgentLeases
  readonly #presence: AgentPresence
  readonly #shared: SharedWakes
  readonly #elsewhere: Elsewhere
  readonly #wakes: AgentWakes
  readonly #stops: AgentStops

  constructor(
    context: Omit<AgentsContext, 'timeouts'> & Partial<Pick<AgentsContext, 'timeouts'>>,
    activity: AgentActivity,
    metrics: AgentMetrics
  ) {
    const patience = new DatabasePatience(context)
    const whole = patience.over({ timeouts: DEFAULT_TIMEOUTS, ...context })
    this.#context = whole
    this.#activity = activity
    this.#presence = new AgentPresence(activity)
    this.#leases = new AgentLeases(new LeaseRows(whole), whole)
    this.rows = new AgentRows(whole, patience)
    this.probe = new GatewayProbe(whole.clock, whole.fetch)
    this.#shared = new SharedWakes(whole, patience)
    this.#elsewhere = new Elsewhere(whole, {
      wakes: this.#shared.board,
      rows: this.rows,
      presence: this.#presence,
      activity,
    })
    const doors = new AgentDoors(whole, this.rows)
    const own = { rows: this.rows, leases: this.#leases, presence: this.#presence }
    const turns = new AgentTurns(whole, this.#leases)
    const stopper = new AgentStopper(whole, { ...own, activity, doors })
    const failures = new WakeFailures(whole, this.rows, stopper, (agent) => this.endUnwanted(agent))
    const starter = new AgentStarter(whole, {
      ...own,
      gate: this.#shared.gate,
      probe: this.probe,
      wakeTimes: new WakeTimes(),
      startTimes: new WakeTimes(),
      doors,
    })
    this.#wakes = new AgentWakes(whole, {
      ...own,
      turns,
      shared: this.#shared,
      starter,
      failures,
      metrics,
    })
    this.#stops = new AgentStops(whole, { ...own, turns, stopper, wakes: this.#wakes })
    this.sleeper = new AgentSleeper(whole, {
      ...own,
      activity,
      doors,
      stop: (row) => this.#stops.end(row),
    })
    this.sightings = new AgentSightings(whole, { ...own, probe: this.probe, metrics })
  }

  /** Takes part in what the copies of Mosaic tell each other, from now on. */
  async open(): Promise<void> {
    await this.#context.copies.join()
    this.#elsewhere.start()
  }

  get gate(): SharedGate {
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

  /** Works on an agent that runs, under the lease; null where it does not, or someone is changing it. */
  async whileRunning<T>(
    agent: AgentKey,
    work: (row: AgentRow, gateway: GatewayAccess) => Promise<T>
  ): Promise<T | null> {
    const result = await this.#leases.tryHold(agent, async () => {
      const row = await this.rows.find(agent)
      const token = await row?.open('gatewayToken')
      if (row?.status !== 'running' || !row.endpoint || !token) return null
      return work(row, { url: row.endpoint, token })
    })
    return result === HELD ? null : (result as T | null)
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

import { Exception } from '@adonisjs/core/exceptions'
import type { AgentActivity } from '#agents/activity'
import { DEFAULT_TIMEOUTS, type AgentsContext } from '#agents/context'
import { AgentDoors } from '#agents/doors'
import { Elsewhere } from '#agents/elsewhere'
import { AgentUnavailable } from '#agents/errors'
import type { AgentListener } from '#agents/events'
import { WakeFailures } from '#agents/failures'
import { GatewayProbe } from '#agents/gateway_probe'
import { LeaseRows } from '#agents/lease_rows'
import { AgentLeases, HELD, LeaseLost, type Lease } from '#agents/leases'
import type { AgentMetrics } from '#agents/metrics'
import { AgentPresence } from '#agents/presence'
import { isWanted } from '#agents/reconcile_plan'
import { agentOf, instanceName, isUp, AgentRows } from '#agents/rows'
import { AgentSightings } from '#agents/sightings'
import { AgentSleeper } from '#agents/sleeper'
import type { SharedGate } from '#agents/shared_gate'
import { SharedWakes } from '#agents/shared_wakes'
import { AgentStarter, type Attempt } from '#agents/starter'
import { AgentStopper } from '#agents/stopper'
import type {
  AgentKey,
  AgentRow,
  AgentView,
  GatewayAccess,
  SettingsOutcome,
  WakeProgress,
  WakeReason,
} from '#agents/types'
import { isExplicit, Wake, WakeAbandoned, WakeCancelled } from '#agents/wake'
import { WakeTimes } from '#agents/wake_times'
import { RuntimeError } from '#runtimes/errors'

/** How often work on an agent begins anew because another copy took its lease over. */
const MOST_TAKEOVERS = 3

export interface EnsureOptions {
  /** Ends this caller's wait. The wake goes on: others may have joined, and more may come. */
  signal?: AbortSignal
  onProgress?: (progress: WakeProgress) => void
  /** What it would wake the agent for. */
  reason?: WakeReason
}

/** Brings agents up and down, one change of an agent at a time. */
export class AgentLifecycle {
  readonly rows: AgentRows
  readonly probe: GatewayProbe
  readonly sightings: AgentSightings
  readonly sleeper: AgentSleeper

  readonly #context: AgentsContext
  readonly #activity: AgentActivity
  readonly #metrics: AgentMetrics
  readonly #leases: AgentLeases
  readonly #presence: AgentPresence
  readonly #shared: SharedWakes
  readonly #elsewhere: Elsewhere
  readonly #starter: AgentStarter
  readonly #stopper: AgentStopper
  readonly #failures: WakeFailures
  #closed = false

  constructor(
    context: Omit<AgentsContext, 'timeouts'> & Partial<Pick<AgentsContext, 'timeouts'>>,
    activity: AgentActivity,
    metrics: AgentMetrics
  ) {
    const whole = { timeouts: DEFAULT_TIMEOUTS, ...context }
    this.#context = whole
    this.#activity = activity
    this.#metrics = metrics
    this.#presence = new AgentPresence(activity)
    this.#leases = new AgentLeases(new LeaseRows(whole), whole)
    this.rows = new AgentRows(whole.settings, whole.clock, whole.copy, whole.transition)
    this.probe = new GatewayProbe(whole.clock, whole.fetch)
    this.#shared = new SharedWakes(whole)
    this.#elsewhere = new Elsewhere(whole, {
      wakes: this.#shared.board,
      rows: this.rows,
      presence: this.#presence,
      activity,
    })
    const doors = new AgentDoors(whole, this.rows)
    this.#stopper = new AgentStopper(whole, {
      rows: this.rows,
      leases: this.#leases,
      activity,
      doors,
    })
    this.#failures = new WakeFailures(whole, this.rows, this.#stopper, (agent) =>
      this.endUnwanted(agent)
    )
    this.#starter = new AgentStarter(whole, {
      rows: this.rows,
      leases: this.#leases,
      gate: this.#shared.gate,
      probe: this.probe,
      wakeTimes: new WakeTimes(),
      doors,
    })
    this.sleeper = new AgentSleeper(whole, {
      rows: this.rows,
      leases: this.#leases,
      presence: this.#presence,
      activity,
      doors,
      stop: (row) => this.#stopRow(row),
    })
    this.sightings = new AgentSightings(whole, {
      rows: this.rows,
      leases: this.#leases,
      presence: this.#presence,
      probe: this.probe,
      metrics,
    })
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
    return this.#join(this.#wake(agent, options.reason ?? 'message'), options)
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
    if (!this.peek(agent)) this.#wake(agent, 'person')
  }

  /**
   * Starts because a person asked: an earlier failure does not delay it.
   *
   * @throws AgentUnavailable, E_UNKNOWN_AGENT
   */
  async startAndWait(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    return this.peek(agent) ?? this.#join(this.#wake(agent, options.reason ?? 'person'), options)
  }

  /**
   * Lets what is in flight end, then stops. A wake is called off. Need not be awaited.
   *
   * @throws AgentUnavailable when the runtime does not end it
   */
  stop(agent: AgentKey): Promise<void> {
    const present = this.#presence.stops.get(agent)
    if (present) return present
    const stop = this.cancel(agent)
      .then(() => this.#hold(agent, () => this.#drainAndStop(agent)))
      .finally(() => this.#presence.stops.delete(agent))
    this.#presence.stops.set(agent, stop)
    return watched(stop)
  }

  /** Begins to stop, to start from the present settings, and comes back. */
  async restart(agent: AgentKey): Promise<void> {
    void watched(this.restartAndWait(agent))
  }

  /** @throws AgentUnavailable, E_UNKNOWN_AGENT */
  async restartAndWait(agent: AgentKey, options: EnsureOptions = {}): Promise<GatewayAccess> {
    await this.stop(agent)
    return this.startAndWait(agent, { reason: 'restart', ...options })
  }

  /**
   * Calls a wake off, and resolves when nothing of it is left; one of another copy of Mosaic ends a little
   * later, before anyone else gets at the agent. Without a wake it does nothing.
   */
  async cancel(agent: AgentKey): Promise<void> {
    await this.#shared.board.callOff(agent)
    const wake = this.#presence.wakes.get(agent)
    if (!wake) return
    wake.end(new WakeCancelled())
    await wake.result.catch(() => {})
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

  /** Stops an agent that should not run, unless someone is changing it. Tells whether it did. */
  async stopUnwanted(agent: AgentKey): Promise<boolean> {
    if (this.isBusy(agent)) return false
    const stopped = await this.#leases.tryHold(agent, async () => {
      const row = await this.rows.find(agent)
      if (!row || isWanted(row)) return false
      await this.#drainAndStop(agent)
      return true
    })
    return stopped === true
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
  async endUnwanted(agent: AgentKey): Promise<void> {
    await this.#hold(agent, async () => {
      const row = await this.rows.find(agent)
      if (row && !isUp(row)) await this.#stopper.endInstance(row)
    })
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
    this.#closed = true
    this.#elsewhere.close()
    const wakes = [...this.#presence.wakes.values()]
    for (const wake of wakes) wake.end(new WakeAbandoned())
    await Promise.allSettled(wakes.map((wake) => wake.result))
  }

  #wake(agent: AgentKey, reason: WakeReason): Wake {
    const { wakes, events } = this.#presence
    const present = wakes.get(agent)
    if (present) {
      present.explicit ||= isExplicit(reason)
      return present
    }
    const wake = new Wake(agent, reason, this.#context.clock)
    if (this.#closed) wake.end(new WakeAbandoned())
    wake.listen((progress) => events.emit(agent, { type: 'progress', progress }))
    wakes.set(agent, wake)
    wake.result = watched(this.#run(wake))
    return wake
  }

  async #run(wake: Wake): Promise<GatewayAccess> {
    const { agent } = wake
    try {
      await this.rows.provide(agent)
      return await this.#hold(
        agent,
        (lease) => this.#shared.lead(wake, () => this.#attempt(wake, lease)),
        wake.calledOff,
        this.#shared.follow(wake)
      )
    } catch (error) {
      if (error instanceof Exception) throw error
      /** Before the lease, or without it: nothing was begun that had to be taken back. */
      const reason = wake.calledOff.aborted ? 'cancelled' : 'internal'
      if (reason === 'internal') this.#context.logger.error({ err: error, agent }, 'A wake failed')
      throw new AgentUnavailable(reason, { cause: error })
    } finally {
      this.#presence.wakes.delete(agent)
      if (this.#presence.events.hasListeners(agent)) void this.#tellStatus(agent)
    }
  }

  /** Whoever loses the lease in the middle begins anew, with what the new holder has made of it. */
  async #hold<T>(
    agent: AgentKey,
    work: (lease: Lease) => Promise<T>,
    signal?: AbortSignal,
    watch?: () => Promise<undefined>
  ): Promise<T> {
    for (let takeovers = 0; ; takeovers++) {
      try {
        return await this.#leases.hold(agent, work, signal, watch)
      } catch (error) {
        if (!(error instanceof LeaseLost) || takeovers === MOST_TAKEOVERS) throw error
        this.#context.logger.warn({ agent }, 'Another copy of Mosaic took an agent over')
      }
    }
  }

  async #attempt(wake: Wake, lease: Lease): Promise<GatewayAccess> {
    wake.begin(lease)
    const row = await this.rows.load(wake.agent)
    if (!wake.explicit) this.#failures.respectBackOff(row)

    this.#presence.tellStatus(row)
    const attempt: Attempt = { row, driver: null, making: null }
    try {
      const access =
        (await this.#starter.followed(wake, row)) ?? (await this.#starter.start(wake, attempt))
      this.#presence.warm.set(wake.agent, access)
      this.#presence.names.set(instanceName(row), wake.agent)
      this.#metrics.wakeEnded({ outcome: 'ready', ...wake.summary() })
      return access
    } catch (error) {
      lease.signal.throwIfAborted()
      if (error instanceof LeaseLost) throw error
      const failure = await this.#failures.settle(attempt, error)
      this.#metrics.wakeEnded({ outcome: failure.reason, ...wake.summary() })
      throw failure
    }
  }

  /** Waits as one of many. */
  async #join(wake: Wake, { signal, onProgress }: EnsureOptions): Promise<GatewayAccess> {
    signal?.throwIfAborted()
    const stopListening = onProgress && wake.listen(onProgress)
    const left = Promise.withResolvers<never>()
    const leave = () => left.reject(signal!.reason)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([wake.result, left.promise])
    } finally {
      signal?.removeEventListener('abort', leave)
      stopListening?.()
    }
  }

  async #drainAndStop(agent: AgentKey): Promise<void> {
    this.#presence.warm.delete(agent)
    const row = await this.rows.find(agent)
    if (!row) return
    /** One that is suspended was quiet before, and could not answer. */
    const frozen = row.status === 'suspended'
    await this.#stopping(row)
    if (!frozen) await this.#stopper.drain(row)
    await this.#stopRow(row)
  }

  async #stopRow(row: AgentRow): Promise<void> {
    await this.#stopping(row)
    try {
      await this.#stopper.stop(row)
    } catch (error) {
      if (error instanceof LeaseLost) throw error
      this.#context.logger.error({ err: error, agent: agentOf(row) }, 'An agent does not stop')
      throw new AgentUnavailable(error instanceof RuntimeError ? error.reason : 'internal', {
        cause: error,
      })
    } finally {
      this.#presence.tellStatus(row)
    }
  }

  async #stopping(row: AgentRow): Promise<void> {
    if (row.desired === 'stopped' && (row.status === 'stopping' || !isUp(row))) return
    await this.rows.save(row, { desired: 'stopped', ...(isUp(row) && { status: 'stopping' }) })
    this.#presence.tellStatus(row)
  }

  async #tellStatus(agent: AgentKey): Promise<void> {
    const row = await this.rows.find(agent).catch(() => null)
    if (row) this.#presence.tellStatus(row)
  }
}

/** Whoever started it need not wait for it: a failure is kept in the row and in the log. */
function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

import { BackgroundWakes } from '#agents/waking/background_wakes'
import type { AgentActivity } from '#agents/state/activity'
import { DEFAULT_TIMEOUTS, type AgentsContext } from '#agents/context'
import { DatabaseRetry } from '#agents/leases/database_retry'
import { DatabaseLeaseStore } from '#agents/leases/lease_store'
import { LeaseManager } from '#agents/leases/lease_manager'
import { FormerTokens } from '#agents/instances/former_tokens'
import { GatewayDrain } from '#agents/instances/gateway_drain'
import { GatewayProbe } from '#agents/instances/gateway_probe'
import { InstanceObserver } from '#agents/instances/instance_observer'
import { InstanceStopper } from '#agents/instances/instance_stopper'
import { AgentLifecycle } from '#agents/lifecycle'
import type { AgentMetrics } from '#agents/metrics'
import { AgentRepository } from '#agents/state/agent_repository'
import { LocalState } from '#agents/state/local_state'
import { ReplicaSync } from '#agents/state/replica_sync'
import { IdleStopper } from '#agents/stopping/idle_stopper'
import { StopRequests } from '#agents/stopping/stop_requests'
import { SharedWakes } from '#agents/waking/shared_wakes'
import { AgentStarter } from '#agents/waking/starter'
import { WakeDurations } from '#agents/waking/wake_durations'
import { WakeFailures } from '#agents/waking/wake_failures'
import { Waker } from '#agents/waking/waker'

/**
 * The services that change agents, wired together over one context. There is one set per process,
 * because they share its in-memory state of the agents.
 */
export class AgentServices {
  readonly activity: AgentActivity
  readonly rows: AgentRepository
  readonly leases: LeaseManager
  readonly local: LocalState
  readonly probe: GatewayProbe
  readonly observer: InstanceObserver
  readonly instanceStopper: InstanceStopper
  readonly stopRequests: StopRequests
  readonly idleStopper: IdleStopper
  readonly sharedWakes: SharedWakes
  readonly lifecycle: AgentLifecycle
  readonly backgroundWakes: BackgroundWakes

  readonly #replicas: AgentsContext['replicas']
  readonly #replicaSync: ReplicaSync
  readonly #waker: Waker

  constructor(
    given: Omit<AgentsContext, 'timeouts'> & Partial<Pick<AgentsContext, 'timeouts'>>,
    activity: AgentActivity,
    metrics: AgentMetrics
  ) {
    const retry = new DatabaseRetry(given)
    const context = retry.wrap({ timeouts: DEFAULT_TIMEOUTS, ...given })
    const rows = new AgentRepository(context, retry)
    const leases = new LeaseManager(new DatabaseLeaseStore(context), context)
    const local = new LocalState(activity, rows)
    const probe = new GatewayProbe(context.clock)
    const sharedWakes = new SharedWakes(context, retry)
    const gatewayDrain = new GatewayDrain(context, rows)
    const own = { rows, leases, local, activity, probe, sharedWakes, gatewayDrain, metrics }

    const instanceStopper = new InstanceStopper(context, own)
    const durations = { wakeTimes: new WakeDurations(), startTimes: new WakeDurations() }
    const observer = new InstanceObserver(context, own)
    const starter = new AgentStarter(context, {
      ...{ ...own, ...durations, observer },
      formerTokens: new FormerTokens(context),
      gate: sharedWakes.gate,
    })
    const failures = new WakeFailures(context, rows, instanceStopper)
    const waker = new Waker(context, { ...own, starter, failures })
    const stopRequests = new StopRequests(context, { ...own, instanceStopper, waker })

    this.#replicas = context.replicas
    this.#replicaSync = new ReplicaSync(context, { ...own, wakes: sharedWakes.registry })
    this.#waker = waker
    this.activity = activity
    this.rows = rows
    this.leases = leases
    this.local = local
    this.probe = probe
    this.sharedWakes = sharedWakes
    this.instanceStopper = instanceStopper
    this.stopRequests = stopRequests
    this.idleStopper = new IdleStopper(context, { ...own, stopRequests })
    this.observer = observer
    this.lifecycle = new AgentLifecycle(context, {
      ...{ ...own, waker, stopRequests },
      observer,
    })
    this.backgroundWakes = new BackgroundWakes(context, this.lifecycle)
  }

  /** Joins the replicas of Mosaic: from then on each sees the others' work. */
  async open(): Promise<void> {
    await this.#replicas.join()
    this.#replicaSync.start()
  }

  /** Releases callers on shutdown. Instances keep running, and the next Mosaic adopts them. */
  async close(): Promise<void> {
    this.#replicaSync.close()
    const background = this.backgroundWakes.close()
    await this.#waker.close()
    await background
  }
}

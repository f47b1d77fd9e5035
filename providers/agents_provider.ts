import type { ApplicationService } from '@adonisjs/core/types'
import type internalConfig from '#config/internal'
import type { AgentActivity } from '#agents/state/activity'
import type { AgentDirectory } from '#agents/fleet/agent_directory'
import type { AgentLogs } from '#agents/instances/agent_logs'
import type { AgentsContext } from '#agents/context'
import type { SettingsRollout } from '#agents/changes/settings_rollout'
import type { FleetNodes } from '#agents/fleet/fleet_nodes'
import type { DataCopies } from '#agents/fleet/data_copies'
import type { NodeDrain } from '#agents/fleet/node_drain'
import type { PlacementRule } from '#agents/system_agents/placement'
import type { FleetHistory } from '#agents/fleet/fleet_history'
import type { FleetEventStreams } from '#agents/fleet/fleet_event_stream'
import type { AgentHealthCheck } from '#agents/background/health_check'
import type { CrashLog } from '#agents/instances/agent_logs'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentServices } from '#agents/services'
import type { AgentGauges, AgentMetrics } from '#agents/metrics'
import type { LimitChanges } from '#agents/changes/agent_limits'
import { PendingRollouts } from '#agents/changes/pending_rollouts'
import type { Prewarmer } from '#agents/prewarmer'
import type { AgentReaper } from '#agents/background/reaper'
import type { AgentRester } from '#agents/background/rester'
import type { AgentReconciler } from '#agents/background/reconciler'
import type { AgentEventStreams } from '#agents/fleet/agent_event_stream'
import type { AgentTransition } from '#agents/types'
import type { RuntimeDriver } from '#runtimes/contract'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'agents.context': AgentsContext
    'agents.services': AgentServices
    'agents.lifecycle': AgentLifecycle
    'agents.activity': AgentActivity
    'agents.prewarmer': Prewarmer
    'agents.reaper': AgentReaper
    'agents.rester': AgentRester
    'agents.health_check': AgentHealthCheck
    'agents.reconciler': AgentReconciler
    'agents.settings_rollout': SettingsRollout
    'agents.metrics': AgentMetrics
    'agents.event_streams': AgentEventStreams
    'agents.crash_log': CrashLog
    'agents.directory': AgentDirectory
    'agents.logs': AgentLogs
    'agents.limits': LimitChanges
    'agents.gauges': () => Promise<AgentGauges>
    'agents.fleet_history': FleetHistory
    'agents.fleet_streams': FleetEventStreams
    'agents.nodes': FleetNodes
    'agents.placement': PlacementRule
    'agents.node_drain': NodeDrain
    'agents.data_copies': DataCopies
  }
}

/** Registers the lifecycle of agents, and runs its background work in the web process. */
export default class AgentsProvider {
  /** Cleanup functions, called in reverse order. */
  readonly #endings: (() => unknown)[] = []
  readonly #rollouts = new PendingRollouts()

  constructor(protected app: ApplicationService) {}

  register() {
    const { container } = this.app

    container.singleton('agents.context', async (resolver) => {
      const { systemClock } = await import('#timing/clock')
      const { DEFAULT_TIMEOUTS } = await import('#agents/context')
      const { createId } = await import('#models/row_id')
      const { ReplicaRegistry } = await import('#agents/replicas/replica_registry')
      const replicaId = createId()
      const world = { replicaId, clock: systemClock, timeouts: DEFAULT_TIMEOUTS }
      const replicas = new ReplicaRegistry({ ...world, logger: await resolver.make('logger') })
      this.#endings.push(() => replicas.close())
      return {
        replicaId,
        replicas,
        runtimes: await resolver.make('runtime.manager'),
        documents: await resolver.make('openclaw.documents'),
        settings: await resolver.make('settings'),
        callbackUrl: (driver) => this.#callbackUrl(driver),
        clock: systemClock,
        random: Math.random,
        logger: await resolver.make('logger'),
        gatewayControl: await resolver.make('openclaw.control'),
        live: await resolver.make('openclaw.live_settings'),
        timeouts: DEFAULT_TIMEOUTS,
        transition: await this.#transitions(),
        rollouts: this.#rollouts,
        tokenChanged: await this.#forgetTokens(),
        beforeSleep: async (agent, gateway) =>
          (await container.make('knowledge.archive_keeper')).beforeSleep(agent, gateway),
      }
    })
    container.singleton('agents.metrics', async (resolver) => {
      const { AgentMetrics } = await import('#agents/metrics')
      const meter = await resolver.make('usage.meter')
      return new AgentMetrics((outcome, ms) => meter.wakeEnded(outcome, ms))
    })
    container.singleton('agents.activity', async (resolver) => {
      const { AgentActivity } = await import('#agents/state/activity')
      const activity = new AgentActivity(await resolver.make('agents.context'))
      this.#endings.push(() => activity.close())
      return activity
    })
    container.singleton('agents.services', async (resolver) => {
      const { AgentServices } = await import('#agents/services')
      const services = new AgentServices(
        await resolver.make('agents.context'),
        await resolver.make('agents.activity'),
        await resolver.make('agents.metrics')
      )
      this.#endings.push(() => services.close())
      if (this.app.getEnvironment() !== 'test') await services.open()
      return services
    })
    container.singleton('agents.lifecycle', async (resolver) => {
      return (await resolver.make('agents.services')).lifecycle
    })
    container.singleton('agents.prewarmer', async (resolver) => {
      const { Prewarmer } = await import('#agents/prewarmer')
      const { local } = await resolver.make('agents.services')
      const prewarmer = new Prewarmer(
        await resolver.make('agents.context'),
        local,
        await resolver.make('agents.metrics'),
        await resolver.make('openclaw.gateway')
      )
      this.#endings.push(() => prewarmer.close())
      return prewarmer
    })
    container.singleton('agents.reaper', async (resolver) => {
      const { AgentReaper } = await import('#agents/background/reaper')
      const { idleStopper } = await resolver.make('agents.services')
      return new AgentReaper(
        await resolver.make('agents.context'),
        idleStopper,
        await resolver.make('agents.activity'),
        await resolver.make('agents.metrics')
      )
    })
    container.singleton('agents.rester', async (resolver) => {
      const { AgentRester } = await import('#agents/background/rester')
      const { idleStopper } = await resolver.make('agents.services')
      const rester = new AgentRester(
        await resolver.make('agents.context'),
        idleStopper,
        await resolver.make('agents.activity')
      )
      this.#endings.push(() => rester.close())
      return rester
    })
    container.singleton('agents.health_check', async (resolver) => {
      const { AgentHealthCheck } = await import('#agents/background/health_check')
      const { observer, probe } = await resolver.make('agents.services')
      return new AgentHealthCheck(await resolver.make('agents.context'), observer, probe)
    })
    container.singleton('agents.reconciler', async (resolver) => {
      const { AgentReconciler } = await import('#agents/background/reconciler')
      const context = await resolver.make('agents.context')
      return new AgentReconciler(
        context,
        await resolver.make('agents.services'),
        await resolver.make('agents.metrics')
      )
    })
    container.singleton('agents.crash_log', async (resolver) => {
      const { CrashLog } = await import('#agents/instances/agent_logs')
      const { rows } = await resolver.make('agents.services')
      return new CrashLog(await resolver.make('agents.context'), rows)
    })
    container.singleton('agents.settings_rollout', async (resolver) => {
      const { SettingsRollout } = await import('#agents/changes/settings_rollout')
      const { rows, leases, local, lifecycle } = await resolver.make('agents.services')
      const activity = await resolver.make('agents.activity')
      const changes = new SettingsRollout(await resolver.make('agents.context'), {
        ...{ rows, leases, local, lifecycle },
        activity,
      })
      this.#endings.push(() => changes.close())
      return changes
    })
    container.singleton('agents.event_streams', async (resolver) => {
      const { AgentEventStreams } = await import('#agents/fleet/agent_event_stream')
      const streams = new AgentEventStreams(
        await resolver.make('agents.lifecycle'),
        await resolver.make('agents.context')
      )
      this.#endings.push(() => streams.close())
      return streams
    })
    this.#registerFleet()
  }

  /** Registers the admins' view of all agents. */
  #registerFleet() {
    const { container } = this.app

    container.singleton('agents.directory', async () => {
      const { AgentDirectory } = await import('#agents/fleet/agent_directory')
      return new AgentDirectory()
    })
    container.singleton('agents.logs', async (resolver) => {
      const { AgentLogs } = await import('#agents/instances/agent_logs')
      return new AgentLogs(await resolver.make('agents.context'))
    })
    container.singleton('agents.limits', async (resolver) => {
      const { LimitChanges } = await import('#agents/changes/agent_limits')
      const changes = await resolver.make('agents.settings_rollout')
      return new LimitChanges((agent) => changes.remade(agent), await resolver.make('audit'))
    })
    container.singleton('agents.gauges', async (resolver) => {
      const { fleetGauges } = await import('#agents/fleet/fleet_gauges')
      const { local, sharedWakes } = await resolver.make('agents.services')
      return () => fleetGauges(local.wakes, sharedWakes.gate)
    })
    container.singleton('agents.nodes', async (resolver) => {
      const { FleetNodes } = await import('#agents/fleet/fleet_nodes')
      return new FleetNodes(await resolver.make('agents.context'))
    })
    container.singleton('agents.placement', async (resolver) => {
      const { PlacementRule } = await import('#agents/system_agents/placement')
      return new PlacementRule({
        runtimes: await resolver.make('runtime.manager'),
        settings: await resolver.make('settings'),
      })
    })
    container.singleton('agents.node_drain', async (resolver) => {
      const { NodeDrain } = await import('#agents/fleet/node_drain')
      return new NodeDrain(await resolver.make('agents.context'), {
        nodes: await resolver.make('agents.nodes'),
        rows: (await resolver.make('agents.services')).rows,
        controls: await resolver.make('agents.lifecycle'),
        audit: await resolver.make('audit'),
      })
    })
    container.singleton('agents.data_copies', async (resolver) => {
      const { DataCopies } = await import('#agents/fleet/data_copies')
      const services = await resolver.make('agents.services')
      return new DataCopies(await resolver.make('agents.context'), services)
    })
    container.singleton('agents.fleet_history', async (resolver) => {
      const { FleetHistory } = await import('#agents/fleet/fleet_history')
      const { systemClock: clock } = await import('#timing/clock')
      return new FleetHistory({ clock }, await resolver.make('agents.gauges'))
    })
    container.singleton('agents.fleet_streams', async (resolver) => {
      const { FleetEventStreams } = await import('#agents/fleet/fleet_event_stream')
      const { systemClock: clock } = await import('#timing/clock')
      const { lifecycleFields: describe } = await import('#transformers/lifecycle_fields')
      const logger = await resolver.make('logger')
      /** Resolved late, because the lifecycle that it counts reports its changes here. */
      const gauges = async () => (await container.make('agents.gauges'))()
      const streams = new FleetEventStreams({ clock, logger }, { gauges, describe })
      this.#endings.push(() => streams.close())
      return streams
    })
  }

  /** Rolls new settings out to running agents, wherever they were changed. */
  async boot() {
    const emitter = await this.app.container.make('emitter')
    emitter.on('agent:settings_changed', async ({ userId }) => {
      /** Hold messages at once: the user who saved may send one before the agents are known. */
      const release = this.#rollouts.hold(`user/${userId}`)
      const outcomes = this.#rollOut(userId).finally(release)
      await Promise.all(await outcomes)
    })
  }

  async ready() {
    if (this.app.getEnvironment() === 'web') await this.#begin()
    this.app.terminating(() => this.#end())
  }

  /** Counts every change of an agent, and reports it to watching admins. */
  async #transitions() {
    const { countTransition } = await import('#usage/agent_life')
    const meter = await this.app.container.make('usage.meter')
    const streams = await this.app.container.make('agents.fleet_streams')
    return (transition: AgentTransition) => {
      countTransition(meter, transition)
      streams.tell(transition)
    }
  }

  /** Begins the rollout of new settings to all affected agents. */
  async #rollOut(userId: string): Promise<Promise<unknown>[]> {
    const { agentsOf } = await import('#agents/changes/settings_rollout')
    const changes = await this.app.container.make('agents.settings_rollout')
    const agents = await agentsOf(userId)
    return agents.map((agent) => changes.changed(agent))
  }

  /** The config endpoint and the LLM relay briefly cache the owners of tokens. */
  async #forgetTokens() {
    const tokens = await this.app.container.make('openclaw.tokens')
    return () => tokens.clear()
  }

  /** Makes Mosaic listen where the driver's instances reach it. In a command, the web process does that. */
  async #callbackUrl(driver: RuntimeDriver): Promise<string> {
    const { container, config } = this.app
    const { url, port } = config.get<typeof internalConfig>('internal')
    const callback = await driver.callback?.()
    if (!callback) return url

    if (container.hasBinding('internal.listener')) {
      const listener = await container.make('internal.listener')
      await listener.listenFor(callback)
    }
    return `http://${callback.host}:${callback.port ?? port}`
  }

  async #begin() {
    const { container } = this.app
    const { agentJobs } = await import('#agents/background/jobs')
    const { RuntimeEvents } = await import('#agents/background/runtime_events')
    const { ScheduledWakes } = await import('#agents/background/scheduled_wakes')
    const { EarlyWakes } = await import('#agents/background/early_wakes')
    const context = await container.make('agents.context')
    const { observer, lifecycle, backgroundWakes } = await container.make('agents.services')
    const activity = await container.make('agents.activity')
    const watch = new RuntimeEvents(context, { observer, activity, lifecycle })
    const rester = await container.make('agents.rester')
    const scheduler = agentJobs(context, {
      watch,
      reaper: await container.make('agents.reaper'),
      rester,
      health: await container.make('agents.health_check'),
      reconciler: await container.make('agents.reconciler'),
      history: await container.make('agents.fleet_history'),
      scheduled: new ScheduledWakes(context, backgroundWakes),
      early: new EarlyWakes(context, backgroundWakes, rester),
    })
    scheduler.start()
    this.#endings.unshift(
      () => scheduler.stop(),
      () => watch.close()
    )
  }

  /**
   * Runs before the listener closes, which waits for every open response, and before the database
   * closes. Agents outlive Mosaic, so none of them is stopped.
   */
  async #end() {
    for (const end of this.#endings.toReversed()) await end()
  }
}

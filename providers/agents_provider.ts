import type { ApplicationService } from '@adonisjs/core/types'
import type internalConfig from '#config/internal'
import type { AgentActivity } from '#agents/activity'
import type { AgentDirectory } from '#agents/agent_directory'
import type { AgentLogs } from '#agents/agent_logs'
import type { AgentsContext } from '#agents/context'
import type { DocumentChanges } from '#agents/document_changes'
import type { FleetHistory } from '#agents/fleet_history'
import type { FleetStreams } from '#agents/fleet_streams'
import type { AgentHealth } from '#agents/health'
import type { AgentLastWords } from '#agents/last_words'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentGauges, AgentMetrics } from '#agents/metrics'
import type { LimitChanges } from '#agents/limit_changes'
import type { AgentPrimer } from '#agents/primer'
import type { AgentReaper } from '#agents/reaper'
import type { AgentReconciler } from '#agents/reconciler'
import type { AgentStreams } from '#agents/streams'
import type { AgentTransition } from '#agents/types'
import type { RuntimeDriver } from '#runtimes/contract'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'agents.context': AgentsContext
    'agents.lifecycle': AgentLifecycle
    'agents.activity': AgentActivity
    'agents.primer': AgentPrimer
    'agents.reaper': AgentReaper
    'agents.health': AgentHealth
    'agents.reconciler': AgentReconciler
    'agents.changes': DocumentChanges
    'agents.metrics': AgentMetrics
    'agents.streams': AgentStreams
    'agents.last_words': AgentLastWords
    'agents.directory': AgentDirectory
    'agents.logs': AgentLogs
    'agents.limits': LimitChanges
    'agents.gauges': () => Promise<AgentGauges>
    'agents.fleet_history': FleetHistory
    'agents.fleet_streams': FleetStreams
  }
}

/** Registers the lifecycle of agents, and runs its background work in the web process. */
export default class AgentsProvider {
  /** What was made here and has to be ended, the last first. */
  readonly #endings: (() => unknown)[] = []

  constructor(protected app: ApplicationService) {}

  register() {
    const { container } = this.app

    container.singleton('agents.context', async (resolver) => {
      const { systemClock } = await import('#agents/clock')
      const { DEFAULT_TIMEOUTS } = await import('#agents/context')
      const { createId } = await import('@paralleldrive/cuid2')
      const { MosaicCopies } = await import('#agents/copies')
      const copy = createId()
      const world = { copy, clock: systemClock, timeouts: DEFAULT_TIMEOUTS }
      const copies = new MosaicCopies({ ...world, logger: await resolver.make('logger') })
      this.#endings.push(() => copies.close())
      return {
        copy,
        copies,
        runtimes: await resolver.make('runtime.manager'),
        documents: await resolver.make('openclaw.documents'),
        settings: await resolver.make('settings'),
        callbackUrl: (driver) => this.#callbackUrl(driver),
        clock: systemClock,
        random: Math.random,
        logger: await resolver.make('logger'),
        doors: await resolver.make('openclaw.control'),
        fetch: globalThis.fetch,
        timeouts: DEFAULT_TIMEOUTS,
        transition: await this.#transitions(),
      }
    })
    container.singleton('agents.metrics', async (resolver) => {
      const { AgentMetrics } = await import('#agents/metrics')
      const meter = await resolver.make('usage.meter')
      return new AgentMetrics((outcome, ms) => meter.wakeEnded(outcome, ms))
    })
    container.singleton('agents.activity', async (resolver) => {
      const { AgentActivity } = await import('#agents/activity')
      const activity = new AgentActivity(await resolver.make('agents.context'))
      this.#endings.push(() => activity.close())
      return activity
    })
    container.singleton('agents.lifecycle', async (resolver) => {
      const { AgentLifecycle } = await import('#agents/lifecycle')
      const lifecycle = new AgentLifecycle(
        await resolver.make('agents.context'),
        await resolver.make('agents.activity'),
        await resolver.make('agents.metrics')
      )
      this.#endings.push(() => lifecycle.close())
      if (this.app.getEnvironment() !== 'test') await lifecycle.open()
      return lifecycle
    })
    container.singleton('agents.primer', async (resolver) => {
      const { AgentPrimer } = await import('#agents/primer')
      const primer = new AgentPrimer(
        await resolver.make('agents.context'),
        await resolver.make('agents.lifecycle'),
        await resolver.make('agents.metrics'),
        await resolver.make('openclaw.gateway')
      )
      this.#endings.push(() => primer.close())
      return primer
    })
    container.singleton('agents.reaper', async (resolver) => {
      const { AgentReaper } = await import('#agents/reaper')
      return new AgentReaper(
        await resolver.make('agents.context'),
        await resolver.make('agents.lifecycle'),
        await resolver.make('agents.activity'),
        await resolver.make('agents.metrics')
      )
    })
    container.singleton('agents.health', async (resolver) => {
      const { AgentHealth } = await import('#agents/health')
      const context = await resolver.make('agents.context')
      return new AgentHealth(context, await resolver.make('agents.lifecycle'))
    })
    container.singleton('agents.reconciler', async (resolver) => {
      const { AgentReconciler } = await import('#agents/reconciler')
      const context = await resolver.make('agents.context')
      return new AgentReconciler(
        context,
        await resolver.make('agents.lifecycle'),
        await resolver.make('agents.metrics')
      )
    })
    container.singleton('agents.last_words', async (resolver) => {
      const { AgentLastWords } = await import('#agents/last_words')
      const { rows } = await resolver.make('agents.lifecycle')
      return new AgentLastWords(await resolver.make('agents.context'), rows)
    })
    container.singleton('agents.changes', async (resolver) => {
      const { DocumentChanges } = await import('#agents/document_changes')
      const changes = new DocumentChanges(
        await resolver.make('agents.context'),
        await resolver.make('agents.lifecycle'),
        await resolver.make('agents.activity'),
        await resolver.make('openclaw.live_settings')
      )
      this.#endings.push(() => changes.close())
      return changes
    })
    container.singleton('agents.streams', async (resolver) => {
      const { AgentStreams } = await import('#agents/streams')
      const streams = new AgentStreams(
        await resolver.make('agents.lifecycle'),
        await resolver.make('agents.context')
      )
      this.#endings.push(() => streams.close())
      return streams
    })
    this.#registerFleet()
  }

  /** What admins see of all agents. */
  #registerFleet() {
    const { container } = this.app

    container.singleton('agents.directory', async () => {
      const { AgentDirectory } = await import('#agents/agent_directory')
      return new AgentDirectory()
    })
    container.singleton('agents.logs', async (resolver) => {
      const { AgentLogs } = await import('#agents/agent_logs')
      return new AgentLogs(await resolver.make('agents.context'))
    })
    container.singleton('agents.limits', async (resolver) => {
      const { LimitChanges } = await import('#agents/limit_changes')
      const changes = await resolver.make('agents.changes')
      return new LimitChanges((agent) => changes.remade(agent), await resolver.make('audit'))
    })
    container.singleton('agents.gauges', async (resolver) => {
      const { agentGauges } = await import('#agents/gauges')
      const lifecycle = await resolver.make('agents.lifecycle')
      return () => agentGauges(lifecycle)
    })
    container.singleton('agents.fleet_history', async (resolver) => {
      const { FleetHistory } = await import('#agents/fleet_history')
      const { systemClock: clock } = await import('#agents/clock')
      return new FleetHistory({ clock }, await resolver.make('agents.gauges'))
    })
    container.singleton('agents.fleet_streams', async (resolver) => {
      const { FleetStreams } = await import('#agents/fleet_streams')
      const { systemClock: clock } = await import('#agents/clock')
      const { lifecycleFields: describe } = await import('#transformers/lifecycle_fields')
      const logger = await resolver.make('logger')
      /** Asked for late: the lifecycle that is counted tells its changes here. */
      const gauges = async () => (await container.make('agents.gauges'))()
      const streams = new FleetStreams({ clock, logger }, { gauges, describe })
      this.#endings.push(() => streams.close())
      return streams
    })
  }

  /** New settings reach agents that run, wherever they were changed. */
  async boot() {
    const emitter = await this.app.container.make('emitter')
    emitter.on('agent:settings_changed', async ({ userId }) => {
      const { agentsOf } = await import('#agents/affected_agents')
      const changes = await this.app.container.make('agents.changes')
      const agents = await agentsOf(userId)
      await Promise.all(agents.map((agent) => changes.changed(agent)))
    })
  }

  async ready() {
    if (this.app.getEnvironment() === 'web') await this.#begin()
    this.app.terminating(() => this.#end())
  }

  /** Whatever happens to agents is counted, and told to the admins who watch. */
  async #transitions() {
    const { countTransition } = await import('#usage/agent_life')
    const meter = await this.app.container.make('usage.meter')
    const streams = await this.app.container.make('agents.fleet_streams')
    return (transition: AgentTransition) => {
      countTransition(meter, transition)
      streams.tell(transition)
    }
  }

  /** Mosaic listens where the driver's instances reach it; a command leaves that to the web process. */
  async #callbackUrl(driver: RuntimeDriver): Promise<string> {
    const { container, config } = this.app
    const { url, port } = config.get<typeof internalConfig>('internal')
    const callback = await driver.callback?.()
    if (!callback) return url

    if (callback.listen && container.hasBinding('internal.listener')) {
      const listener = await container.make('internal.listener')
      await listener.listenOn(callback.listen)
    }
    return `http://${callback.host}:${port}`
  }

  async #begin() {
    const { container } = this.app
    const { agentsBackground } = await import('#agents/background')
    const { RuntimeWatch } = await import('#agents/runtime_watch')
    const { ScheduledWork } = await import('#agents/scheduled_work')
    const context = await container.make('agents.context')
    const lifecycle = await container.make('agents.lifecycle')
    const watch = new RuntimeWatch(context, lifecycle)
    const scheduler = agentsBackground(context, {
      watch,
      reaper: await container.make('agents.reaper'),
      health: await container.make('agents.health'),
      reconciler: await container.make('agents.reconciler'),
      history: await container.make('agents.fleet_history'),
      scheduled: new ScheduledWork(context, lifecycle),
    })
    scheduler.start()
    this.#endings.unshift(
      () => scheduler.stop(),
      () => watch.close()
    )
  }

  /**
   * Before the listener closes, which waits for every open answer, and before the database does. Agents
   * outlive Mosaic: nothing of theirs is ended.
   */
  async #end() {
    for (const end of this.#endings.toReversed()) await end()
  }
}

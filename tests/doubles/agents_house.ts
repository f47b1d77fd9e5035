import { createId } from '#models/row_id'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import type { Group } from '@japa/runner/core'
import { AgentActivity } from '#agents/state/activity'
import type { AgentsContext, LiveChange } from '#agents/context'
import { DEFAULT_TIMEOUTS } from '#agents/context'
import { ReplicaRegistry } from '#agents/replicas/replica_registry'
import { AgentHealthCheck } from '#agents/background/health_check'
import type { AgentLifecycle } from '#agents/lifecycle'
import { AgentServices } from '#agents/services'
import { AgentMetrics } from '#agents/metrics'
import { AgentReaper } from '#agents/background/reaper'
import { AgentRester } from '#agents/background/rester'
import { RuntimeEvents } from '#agents/background/runtime_events'
import { AgentReconciler } from '#agents/background/reconciler'
import { SettingsRollout } from '#agents/changes/settings_rollout'
import { PendingRollouts } from '#agents/changes/pending_rollouts'
import type { AgentKey, AgentTransition } from '#agents/types'
import { UserFactory } from '#database/factories/user_factory'
import UserContainer from '#models/user_container'
import { AgentTokens } from '#openclaw/agent_tokens'
import { E_NO_PROVIDER } from '#openclaw/errors'
import { GatewayControl } from '#openclaw/gateway_control'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import type { RuntimeDriver } from '#runtimes/contract'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'
import { DEFINITIONS, type SettingKey } from '#settings/definitions'
import { ChaosDriver } from '#tests/doubles/chaos_driver'
import { TestClock } from '#tests/doubles/test_clock'

const INSTALLATION = 'house'

/**
 * Opens a house for each test of the group, within a transaction that includes the group's later setups, and closes it.
 * The returned one always stands for the present test's.
 */
export function eachHouse(group: Group): AgentsHouse {
  let house: AgentsHouse
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    house = new AgentsHouse()
    return () => house.close()
  })
  return new Proxy({} as AgentsHouse, {
    get(_, key) {
      const value = Reflect.get(house, key)
      return typeof value === 'function' ? value.bind(house) : value
    },
    set: (_, key, value) => Reflect.set(house, key, value),
  })
}

/** The agent services in tests: real rows, the memory runtime behind a chaos driver, and a controlled clock. */
export class AgentsHouse {
  readonly clock = new TestClock()
  readonly world = new MemoryWorld()
  readonly memory = new MemoryDriver({ world: this.world, now: this.clock.now }, INSTALLATION)
  readonly driver = new ChaosDriver(this.memory)
  /** Further runtimes, by name. */
  readonly runtimes: Record<string, RuntimeDriver> = {}
  readonly logged: { level: string; details: object; message: string }[] = []
  readonly metrics = new AgentMetrics()
  /** This process's short-lived cache of gateway tokens. */
  readonly tokens = new AgentTokens(this.clock.elapsed)
  /** Listeners for row transitions. */
  readonly transitions: ((transition: AgentTransition) => void)[] = []
  readonly context: AgentsContext & { replicas: ReplicaRegistry }
  readonly activity: AgentActivity
  readonly services: AgentServices
  readonly lifecycle: AgentLifecycle
  readonly reaper: AgentReaper
  readonly rester: AgentRester
  readonly health: AgentHealthCheck
  readonly reconciler: AgentReconciler

  /** Reads agents before they sleep. */
  beforeSleep: NonNullable<AgentsContext['beforeSleep']> = async () => {}
  /** The next document's hash; null: no provider. */
  document: string | null = 'document-1'
  /** What a gateway applies while it runs, of the settings changed during its rest: by default nothing. */
  applied: LiveChange['apply'] = async () => null
  readonly settings: Partial<Record<SettingKey, unknown>> = {
    'runtime.driver': 'memory',
    'agents.bootTimeoutSec': 5,
  }

  readonly #rooms: AgentsHouse[] = []

  constructor(former?: AgentsHouse) {
    if (former) {
      this.clock = former.clock
      this.tokens = new AgentTokens(this.clock.elapsed)
      this.world = former.world
      this.memory = new MemoryDriver({ world: this.world, now: this.clock.now }, INSTALLATION)
      this.driver = new ChaosDriver(this.memory)
    }
    this.context = this.#context()
    this.activity = new AgentActivity(this.context)
    this.services = new AgentServices(this.context, this.activity, this.metrics)
    this.lifecycle = this.services.lifecycle
    const { idleStopper, observer, probe } = this.services
    this.reaper = new AgentReaper(this.context, idleStopper, this.activity, this.metrics)
    this.rester = new AgentRester(this.context, idleStopper, this.activity)
    this.health = new AgentHealthCheck(this.context, observer, probe)
    this.reconciler = new AgentReconciler(this.context, this.services, this.metrics)
  }

  /** Another Mosaic process over the same rows and runtime, with empty caches. */
  nextProcess(): AgentsHouse {
    const next = new AgentsHouse(this)
    this.#rooms.push(next)
    return next
  }

  /** Wakes an agent, sends a message of one conversation, and returns the answer. */
  async chat(agent: AgentKey, text = 'hi'): Promise<string> {
    const { url, token } = await this.lifecycle.ensureRunning(agent)
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${token}`, 'x-openclaw-session-key': 'k' },
      body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: text }] }),
    })
    const body = (await response.json()) as any
    return body.choices[0].message.content
  }

  /** Creates a user with an agent; returns the agent and its instance's name. */
  async newAgent(): Promise<{ agent: AgentKey; name: string; userId: string }> {
    const { id: userId } = await UserFactory.create()
    return { agent: `user/${userId}`, name: `mosaic-user-${userId}`, userId }
  }

  /** Applies new settings to agents. `apply` stands for a gateway that applies some while it runs. */
  settingsRollout(apply: LiveChange['apply'] = async () => null): SettingsRollout {
    const { services, activity } = this
    const context = { ...this.context, live: { apply } }
    return new SettingsRollout(context, { ...services, activity })
  }

  /** Follows what happens to instances of the memory runtime. Close it. */
  runtimeEvents(): RuntimeEvents {
    const { services, activity } = this
    const events = new RuntimeEvents(this.context, { ...services, activity })
    events.follow('memory')
    return events
  }

  row(userId: string): Promise<UserContainer> {
    return UserContainer.findByOrFail('user_id', userId)
  }

  /** Returns how many queries the work makes. */
  async queries(work: () => unknown): Promise<number> {
    const client = db.connection().getWriteClient()
    let count = 0
    const counter = () => void count++
    client.on('query', counter)
    try {
      await work()
    } finally {
      client.removeListener('query', counter)
    }
    return count
  }

  async close(): Promise<void> {
    for (const room of this.#rooms) await room.close()
    await this.services.close()
    await this.activity.close()
    await this.context.replicas.close()
    for (const instance of this.world.instances.values()) await instance.gateway?.stop()
  }

  #context(): AgentsHouse['context'] {
    const log = (level: string) => (details: object, message: string) =>
      void this.logged.push({ level, details, message })
    const logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    }
    const world = { replicaId: createId(), clock: this.clock, timeouts: DEFAULT_TIMEOUTS, logger }
    return {
      ...world,
      replicas: new ReplicaRegistry(world),
      runtimes: {
        use: async (name: string = 'memory') => this.runtimes[name] ?? this.driver,
        names: () => ['memory', ...Object.keys(this.runtimes)],
        installation: async () => INSTALLATION,
      },
      documents: {
        forAgent: async () => {
          if (this.document === null) throw new E_NO_PROVIDER()
          return { hash: this.document }
        },
      },
      settings: {
        get: async (key) => (this.settings[key] ?? DEFINITIONS[key].default) as never,
      },
      callbackUrl: async () => 'http://127.0.0.1:9',
      random: () => 0.5,
      gatewayControl: new GatewayControl(2000),
      live: { apply: (...call) => this.applied(...call) },
      transition: (transition) => this.transitions.forEach((tell) => tell(transition)),
      rollouts: new PendingRollouts(),
      tokenChanged: () => this.tokens.clear(),
      beforeSleep: (agent, gateway) => this.beforeSleep(agent, gateway),
    }
  }
}

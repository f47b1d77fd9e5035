import { createId } from '#models/row_id'
import { AgentActivity } from '#agents/state/activity'
import { DEFAULT_TIMEOUTS, type AgentsContext } from '#agents/context'
import { AgentMetrics } from '#agents/metrics'
import { AgentReaper } from '#agents/background/reaper'
import { AgentRester } from '#agents/background/rester'
import { AgentServices } from '#agents/services'
import { ReplicaRegistry } from '#agents/replicas/replica_registry'
import type { AgentKey } from '#agents/types'
import type { Clock } from '#timing/clock'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { MemoryWorld } from '#tests/doubles/memory_runtime/world'
import { fastClock } from './fast_clock.js'
import type { Agent } from './person.js'

const GB = 1024 ** 3
const MINUTE_MS = 60_000
const INSTALLATION = 'day'
/** Part of a cold start before the gateway boots. */
const START_MS = 100

/** How long OpenClaw took, in milliseconds. */
export interface Measured {
  /** From the start until the prewarm has ended. */
  coldMs: number
  /** From Enter to the first token, awake and after a rest. */
  idleMs: number
  restedMs: number
}

/** Mosaic's agent services and sweeps over doubles of agents, on a clock that runs fast. */
export class Fleet {
  readonly clock: Clock
  readonly #world = new MemoryWorld()
  readonly #measured: Measured
  readonly #activity: AgentActivity
  readonly #services: AgentServices
  readonly #rester: AgentRester
  readonly #reaper: AgentReaper
  readonly #over = new AbortController()
  #sweeping: Promise<number[]> | null = null

  constructor(base: AgentsContext, measured: Measured, factor: number) {
    this.clock = fastClock(factor)
    this.#measured = measured
    this.#world.machine = {
      ...{ total: 24 * GB, available: 12 * GB },
      ...{ swapTotal: 8 * GB, swapFree: 8 * GB },
    }
    const driver = new MemoryDriver({ world: this.#world, now: this.clock.now }, INSTALLATION)
    /** The double starts by the machine's clock, and boots by this one. */
    driver.behave('*', { startMs: START_MS / factor, bootMs: measured.coldMs - START_MS })
    const context = contextOf(base, driver, this.clock, factor)
    const metrics = new AgentMetrics()
    this.#activity = new AgentActivity(context)
    this.#services = new AgentServices(context, this.#activity, metrics)
    const { idleStopper } = this.#services
    this.#rester = new AgentRester(context, idleStopper, this.#activity)
    this.#reaper = new AgentReaper(context, idleStopper, this.#activity, metrics)
  }

  /** Returns what the person of this agent can do. */
  agent(agent: AgentKey): Agent {
    const { lifecycle } = this.#services
    return {
      open: () => void lifecycle.ensureRunning(agent, { reason: 'person' }).catch(() => {}),
      send: () => this.#send(agent),
    }
  }

  /** Begins to sweep each minute, as the web process does. */
  start(): void {
    this.#sweeping = this.#sweep()
  }

  /** Returns the gigabytes that agents held, each minute, and how often an agent started. */
  async stop(): Promise<{ heldGb: number[]; starts: number }> {
    this.#over.abort()
    const heldGb = (await this.#sweeping) ?? []
    await this.#services.close()
    await this.#activity.close()
    const names = [...this.#world.instances.keys()]
    const starts = names.reduce((sum, name) => sum + this.#world.counts(name).starts, 0)
    for (const { gateway } of this.#world.instances.values()) await gateway?.stop()
    return { heldGb, starts }
  }

  async #sweep(): Promise<number[]> {
    const held: number[] = []
    while (!this.#over.signal.aborted) {
      await this.#rester.rest()
      await this.#reaper.reapIdle({ keepResting: true })
      held.push(this.#heldGb())
      await this.clock.wait(MINUTE_MS, this.#over.signal).catch(() => {})
    }
    return held
  }

  #heldGb(): number {
    const alive = [...this.#world.instances.values()].filter(({ gateway }) => gateway)
    return alive.reduce((sum, { use }) => sum + use.resident, 0) / GB
  }

  async #send(agent: AgentKey): Promise<void> {
    const { idleMs, restedMs } = this.#measured
    const name = `mosaic-user-${agent.slice('user/'.length)}`
    const rested = this.#world.instances.get(name)?.status === 'suspended'
    const end = this.#activity.begin(agent)
    try {
      await this.#services.lifecycle.ensureRunning(agent)
      await this.clock.wait(rested ? restedMs : idleMs)
    } finally {
      end()
    }
  }
}

function contextOf(
  base: AgentsContext,
  driver: MemoryDriver,
  clock: Clock,
  factor: number
): AgentsContext {
  /** As long as they are on the machine's clock. */
  const timeouts = { ...DEFAULT_TIMEOUTS }
  for (const name of Object.keys(timeouts) as (keyof typeof timeouts)[]) timeouts[name] *= factor
  const own = { ...base, replicaId: createId(), clock, timeouts }
  return {
    ...own,
    replicas: new ReplicaRegistry(own),
    runtimes: {
      use: async () => driver,
      names: () => [driver.name],
      installation: async () => INSTALLATION,
    },
    settings: {
      get: async (key) =>
        (key === 'runtime.driver' ? driver.name : await base.settings.get(key)) as never,
    },
    callbackUrl: async () => 'http://127.0.0.1:9',
  }
}

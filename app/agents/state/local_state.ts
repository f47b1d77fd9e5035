import { AgentEvents, type AgentListener } from '#agents/state/agent_events'
import { agentOf } from '#agents/state/agent_repository'
import type {
  AgentKey,
  AgentRow,
  AgentView,
  GatewayAccess,
  Stop,
  WakeProgress,
} from '#agents/types'
import { agentView } from '#agents/state/agent_view'
import type { WakePolicy } from '#models/types'
import type { Wake } from '#agents/state/wake'

/** An agent's use, as this process knows it. */
export interface AgentUse {
  inFlight(agent: AgentKey): number
  /** Milliseconds of the epoch, or null. */
  lastActiveAt(agent: AgentKey): number | null
}

/** A prewarm under way, with its progress since the end of the wake; null before. */
export interface PrewarmUnderWay {
  readonly progress: WakeProgress | null
}

/** As `AgentRepository`. */
export interface AgentRows {
  find(agent: AgentKey): Promise<AgentRow | null>
}

/** This process's knowledge of agents beyond their rows, and the listeners for it. */
export class LocalState {
  /** Gateways that have answered. A cache only: losing an entry costs one call to the runtime. */
  readonly warm = new Map<AgentKey, GatewayAccess>()
  /** Agents by instance name, for events that carry only the name. */
  readonly names = new Map<string, AgentKey>()
  readonly wakes = new Map<AgentKey, Wake>()
  readonly stops = new Map<AgentKey, Stop>()
  readonly prewarms = new Map<AgentKey, PrewarmUnderWay>()
  readonly events = new AgentEvents()
  /** Number of states told of each agent that has listeners. */
  readonly #told = new Map<AgentKey, number>()

  /** The last read policy of agents whose owner has not chosen one. */
  policy: WakePolicy = 'scale_to_zero'

  constructor(
    protected activity: AgentUse,
    protected rows: AgentRows
  ) {}

  /** `remote` is the progress of a wake in another replica of Mosaic. */
  view(agent: AgentKey, row: AgentRow | null, remote: WakeProgress | null = null): AgentView {
    return agentView({
      row,
      wake: this.wakes.get(agent) ?? (remote && { progress: remote }),
      stop: this.stops.get(agent) ?? null,
      prewarming: this.prewarms.has(agent),
      inFlight: this.activity.inFlight(agent),
      lastActiveAt: this.activity.lastActiveAt(agent),
      policy: this.policy,
    })
  }

  /** Subscribes to progress and status. During a wake the listener gets the current progress at once. */
  subscribe(agent: AgentKey, listener: AgentListener): () => void {
    const progress = (this.wakes.get(agent) ?? this.prewarms.get(agent))?.progress
    if (progress) listener({ type: 'progress', progress })
    return this.events.subscribe(agent, listener)
  }

  /** Resolves when no wake of the agent is in flight, whatever its outcome. */
  async settled(agent: AgentKey): Promise<void> {
    await this.wakes.get(agent)?.result.catch(() => {})
  }

  /** Tells the progress of a wake. An agent that is prewarmed afterwards is not ready with it. */
  tellProgress(agent: AgentKey, progress: WakeProgress): void {
    if (progress.stage === 'ready' && this.prewarms.has(agent)) return
    this.events.emit(agent, { type: 'progress', progress })
  }

  /** Looks the agent up and tells its status, unless a newer one is told meanwhile. Never rejects. */
  async tellPresent(agent: AgentKey): Promise<void> {
    if (!this.events.hasListeners(agent)) return
    const before = this.#told.get(agent)
    const row = await this.rows.find(agent).catch(() => null)
    if (row && this.#told.get(agent) === before) this.tellStatus(row)
  }

  tellStatus(row: AgentRow): void {
    const agent = agentOf(row)
    if (!this.events.hasListeners(agent)) {
      this.#told.delete(agent)
      return
    }
    this.#told.set(agent, (this.#told.get(agent) ?? 0) + 1)
    this.events.emit(agent, { type: 'status', agent: this.view(agent, row) })
  }
}

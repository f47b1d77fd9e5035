import type { AgentActivity } from '#agents/state/activity'
import { AgentEvents } from '#agents/state/agent_events'
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

/** What this process knows of agents right now, beside their rows, and who wants to hear of it. */
export class LocalState {
  /** Gateways that answered. Only a shortcut: losing an entry costs a look at the runtime. */
  readonly warm = new Map<AgentKey, GatewayAccess>()
  /** Which agent an instance belongs to, for events that tell nothing but its name. */
  readonly names = new Map<string, AgentKey>()
  readonly wakes = new Map<AgentKey, Wake>()
  readonly stops = new Map<AgentKey, Stop>()
  readonly events = new AgentEvents()

  /** What becomes of agents whose owners do not say, as last read. */
  policy: WakePolicy = 'scale_to_zero'

  constructor(protected activity: AgentActivity) {}

  /** `elsewhere`: how far another replica of Mosaic is with waking it. */
  view(agent: AgentKey, row: AgentRow | null, elsewhere: WakeProgress | null = null): AgentView {
    return agentView({
      row,
      wake: this.wakes.get(agent) ?? (elsewhere && { progress: elsewhere }),
      stop: this.stops.get(agent) ?? null,
      inFlight: this.activity.inFlight(agent),
      lastActiveAt: this.activity.lastActiveAt(agent),
      policy: this.policy,
    })
  }

  tellStatus(row: AgentRow): void {
    const agent = agentOf(row)
    if (!this.events.hasListeners(agent)) return
    this.events.emit(agent, { type: 'status', agent: this.view(agent, row) })
  }
}

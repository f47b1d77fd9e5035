import type { AgentActivity } from '#agents/state/activity'
import type { AgentsContext } from '#agents/context'
import type { LocalState } from '#agents/state/local_state'
import type { AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey, GatewayAccess } from '#agents/types'
import { PUBLISH_EVERY_MS } from '#agents/replicas/in_flight_registry'
import { RecentChanges, type ChangedRow } from '#agents/replicas/recent_changes'
import { WakeCancelled } from '#agents/state/wake'
import type { WakeRegistry } from '#agents/replicas/wake_registry'
import { hashGatewayToken } from '#models/with_lifecycle'

/** How often every known agent is compared, for changes that another machine's clock hid. */
const COMPARE_EVERY_MS = 30_000

export interface ReplicaSyncParts {
  wakes: WakeRegistry
  rows: AgentRepository
  local: LocalState
  activity: AgentActivity
}

/**
 * Applies the changes of other replicas of Mosaic: notifies pages that watch an agent, cancels wakes on
 * request, and forgets gateways that were stopped or moved. Publishes this replica's requests in
 * flight. While this replica is alone, it only updates or removes what it has published.
 */
export class ReplicaSync {
  readonly #context: Pick<AgentsContext, 'clock' | 'replicas' | 'logger'>
  readonly #parts: ReplicaSyncParts
  /** The last state sent to watchers, by agent. */
  readonly #told = new Map<AgentKey, string>()
  readonly #changes: RecentChanges
  #comparedAt = -Infinity
  #cancelTimer: () => void = () => {}
  #closed = false

  constructor(
    context: Pick<AgentsContext, 'clock' | 'replicas' | 'logger'>,
    parts: ReplicaSyncParts
  ) {
    this.#context = context
    this.#parts = parts
    this.#changes = new RecentChanges(context.clock)
  }

  /** Starts polling. */
  start(): void {
    if (this.#closed) return
    const { clock } = this.#context
    this.#cancelTimer = clock.after(PUBLISH_EVERY_MS, () => void this.#tick(), { background: true })
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer()
  }

  async look(): Promise<void> {
    await this.#parts.activity.publish()
    if (this.#context.replicas.alone) return
    await this.#endCancelled()
    const rows = await this.#rows()
    this.#forgetMoved(rows)
    await this.#tellWatchers(rows)
    await this.#tellWakes()
  }

  async #tick(): Promise<void> {
    await this.look().catch((error: unknown) => {
      this.#context.logger.warn({ err: error }, 'Could not see what the other replicas do')
    })
    this.start()
  }

  async #endCancelled(): Promise<void> {
    const { wakes, local } = this.#parts
    if (local.wakes.size === 0) return
    for (const agent of await wakes.cancelRequests())
      local.wakes.get(agent)?.end(new WakeCancelled())
  }

  /** The rows changed lately; now and then, those of all agents that are known here. */
  async #rows(): Promise<ChangedRow[]> {
    const { warm, events } = this.#parts.local
    const changed = await this.#changes.recent()
    const now = this.#context.clock.elapsed()
    if (now - this.#comparedAt < COMPARE_EVERY_MS) return changed
    this.#comparedAt = now
    return this.#changes.of(new Set([...warm.keys(), ...events.agents()]))
  }

  /** Forgets gateways that another replica stopped or moved. */
  #forgetMoved(rows: ChangedRow[]): void {
    const { warm } = this.#parts.local
    for (const row of rows) {
      const known = warm.get(row.agent)
      if (known && !isThere(row, known)) warm.delete(row.agent)
    }
  }

  async #tellWatchers(rows: ChangedRow[]): Promise<void> {
    const { local, rows: repository } = this.#parts
    for (const agent of this.#told.keys()) {
      if (!local.events.hasListeners(agent)) this.#told.delete(agent)
    }
    const changed: AgentKey[] = []
    for (const { agent, status, desired, statusReason, endpoint } of rows) {
      if (!local.events.hasListeners(agent) || local.wakes.has(agent)) continue
      const state = `${status} ${desired} ${statusReason} ${endpoint}`
      if (this.#told.get(agent) === state) continue
      this.#told.set(agent, state)
      changed.push(agent)
    }
    for (const row of await repository.findMany(changed)) local.tellStatus(row)
  }

  async #tellWakes(): Promise<void> {
    const { local, wakes } = this.#parts
    for (const { agent, progress } of await wakes.ofOthers()) {
      if (!progress || local.wakes.has(agent)) continue
      local.events.emit(agent, { type: 'progress', progress })
    }
  }
}

/** Whether the gateway is still at this address with the same token. */
function isThere({ status, endpoint, tokenHash }: ChangedRow, known: GatewayAccess): boolean {
  if (status !== 'running') return false
  return endpoint === known.url && tokenHash === hashGatewayToken(known.token)
}

import db from '@adonisjs/lucid/services/db'
import type { AgentActivity } from '#agents/state/activity'
import { AGENT_TABLES, idsIn } from '#agents/agent_tables'
import type { AgentsContext } from '#agents/context'
import type { LocalState } from '#agents/state/local_state'
import { agentOf, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentKey, GatewayAccess } from '#agents/types'
import { PUBLISH_EVERY_MS } from '#agents/replicas/in_flight_registry'
import { WakeCancelled } from '#agents/state/wake'
import type { WakeRegistry } from '#agents/replicas/wake_registry'
import { hashGatewayToken } from '#models/with_lifecycle'

/** Ids per statement. */
const BATCH = 500

export interface ReplicaSyncParts {
  wakes: WakeRegistry
  rows: AgentRepository
  local: LocalState
  activity: AgentActivity
}

/**
 * Applies the changes of other replicas of Mosaic: notifies pages that watch an agent, cancels wakes on
 * request, and forgets gateways that were stopped or moved. Publishes this replica's requests in
 * flight. A no-op while this replica is alone.
 */
export class ReplicaSync {
  readonly #context: Pick<AgentsContext, 'clock' | 'replicas' | 'logger'>
  readonly #parts: ReplicaSyncParts
  /** The last state sent to watchers, by agent. */
  readonly #told = new Map<AgentKey, string>()
  #cancelTimer: () => void = () => {}
  #closed = false

  constructor(
    context: Pick<AgentsContext, 'clock' | 'replicas' | 'logger'>,
    parts: ReplicaSyncParts
  ) {
    this.#context = context
    this.#parts = parts
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
    if (this.#context.replicas.alone) return
    await this.#parts.activity.publish()
    await this.#endCancelled()
    await this.#forgetMoved()
    await this.#tellWatchers()
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

  /** Forgets gateways that another replica stopped or moved. */
  async #forgetMoved(): Promise<void> {
    const { warm } = this.#parts.local
    for (const kind of AGENT_TABLES) {
      const ids = idsIn(kind, warm.keys())
      for (let from = 0; from < ids.length; from += BATCH) {
        const rows: Record<string, string | null>[] = await db
          .from(kind.table)
          .select(kind.column, 'status', 'endpoint', 'gateway_token_hash')
          .whereIn(kind.column, ids.slice(from, from + BATCH))
        for (const { [kind.column]: id, ...row } of rows) {
          const agent = `${kind.prefix}${id}` as AgentKey
          if (!isThere(row, warm.get(agent))) warm.delete(agent)
        }
      }
    }
  }

  async #tellWatchers(): Promise<void> {
    const { local, rows, wakes } = this.#parts
    const watched = [...local.events.agents()].filter((agent) => !local.wakes.has(agent))
    for (const agent of this.#told.keys()) if (!watched.includes(agent)) this.#told.delete(agent)
    for (const row of await rows.findMany(watched)) {
      const agent = agentOf(row)
      const state = `${row.status} ${row.desired} ${row.statusReason} ${row.endpoint}`
      if (this.#told.get(agent) === state) continue
      this.#told.set(agent, state)
      local.tellStatus(row)
    }
    for (const { agent, progress } of await wakes.look(watched)) {
      if (progress) local.events.emit(agent, { type: 'progress', progress })
    }
  }
}

/** Whether the gateway is still at this address with the same token. */
function isThere(row: Record<string, string | null>, known: GatewayAccess | undefined): boolean {
  const { status, endpoint, gateway_token_hash: tokenHash } = row
  if (!known || status !== 'running') return false
  return endpoint === known.url && tokenHash === hashGatewayToken(known.token)
}

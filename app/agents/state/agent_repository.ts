import { DateTime } from 'luxon'
import { createId } from '#models/row_id'
import { inBatches } from '#models/batches'
import SystemContainer from '#models/system_container'
import User from '#models/user'
import UserContainer from '#models/user_container'
import type { AgentStatus, DesiredState, WakePolicy } from '#models/types'
import { AGENT_TABLES, idsIn, rowOf } from '#agents/agent_tables'
import type { AgentsContext } from '#agents/context'
import type { DatabaseRetry } from '#agents/leases/database_retry'
import { LeaseLost } from '#agents/leases/lease_manager'
import type { AgentKey, AgentMoment, AgentRow } from '#agents/types'
import { E_UNKNOWN_AGENT } from '#openclaw/errors'
import type { InstanceRef } from '#runtimes/contract'
import type { FailureReason } from '#runtimes/errors'

/** The columns that change while an agent lives. Times are milliseconds of the epoch. */
export interface RowChanges {
  status?: AgentStatus
  desired?: DesiredState
  statusReason?: FailureReason | null
  runtime?: string
  runtimeState?: Record<string, unknown> | null
  containerId?: string | null
  endpoint?: string | null
  specHash?: string
  documentHash?: string
  generation?: number
  failureCount?: number
  retryAt?: number | null
  lastActiveAt?: number
  startedAt?: number | null
  crashCount?: number
  /** User agents only. */
  nextJobAt?: number | null
}

/** A system agent's name is passed to the engine only if it is safe there: admins may type anything. */
const SAFE_SYSTEM_NAME = /^mosaic-system-[a-z0-9][a-z0-9-]{0,40}$/

export function agentOf(row: AgentRow): AgentKey {
  return row instanceof UserContainer ? `user/${row.userId}` : `system/${row.id}`
}

/**
 * Returns the name of the agent's instance, unique within the installation and safe as a file or host
 * name.
 */
export function instanceName(row: AgentRow): string {
  if (row instanceof UserContainer) return row.containerName
  return SAFE_SYSTEM_NAME.test(row.name) ? row.name : `mosaic-system-${row.id}`
}

export function instanceRef(row: AgentRow): InstanceRef {
  return { name: instanceName(row), state: row.runtimeState ?? null }
}

export function momentOf(row: AgentRow): AgentMoment {
  return { status: row.status, startedAt: row.startedAt?.toMillis() ?? null }
}

/** Whether the row says that the agent has an instance. */
export function isUp(row: AgentRow): boolean {
  return row.status !== 'stopped' && row.status !== 'error'
}

export function isWanted(row: AgentRow): boolean {
  return row.desired === 'running' && !(row instanceof SystemContainer && !row.isActive)
}

/** Whether the agent is restarted whenever it stops. `policy` is that of agents whose owner has not chosen one. */
export function isKeptUp(row: AgentRow, policy: WakePolicy): boolean {
  return row instanceof SystemContainer || (row.wakePolicy ?? policy) === 'always_on'
}

/** Whether its instance must end: it is unwanted, or a stop or restart has begun to end it. */
export function mustEnd(row: AgentRow): boolean {
  return !isWanted(row) || row.status === 'stopping'
}

/** Finds and updates the agents' rows, and creates a user's when first needed. */
export class AgentRepository {
  constructor(
    protected context: Pick<
      AgentsContext,
      'settings' | 'clock' | 'replicaId' | 'transition' | 'tokenChanged'
    >,
    protected databaseRetry: DatabaseRetry
  ) {}

  async find(agent: AgentKey): Promise<AgentRow | null> {
    const { id } = rowOf(agent)
    const look = async (): Promise<AgentRow | null> =>
      isUserAgent(agent) ? UserContainer.ownedBy(id).first() : SystemContainer.find(id)
    return this.databaseRetry.run(look)
  }

  async findMany(agents: AgentKey[]): Promise<AgentRow[]> {
    const found: AgentRow[] = []
    for (const some of inBatches(agents)) {
      const [users, systems] = AGENT_TABLES.map((kind) => idsIn(kind, some))
      if (users.length > 0) found.push(...(await UserContainer.query().whereIn('user_id', users)))
      if (systems.length > 0) found.push(...(await SystemContainer.query().whereIn('id', systems)))
    }
    return found
  }

  /**
   * Ensures that the agent has a row, since the lease is part of it. A user's is created on demand.
   *
   * @throws E_UNKNOWN_AGENT
   */
  async provide(agent: AgentKey): Promise<void> {
    if (!(await this.find(agent))) await this.databaseRetry.run(() => this.#create(agent))
  }

  /**
   * Returns the agent's row with a gateway token. Call it under the lease.
   *
   * @throws E_UNKNOWN_AGENT
   */
  async load(agent: AgentKey): Promise<AgentRow> {
    const row = await this.find(agent)
    if (!row) throw new E_UNKNOWN_AGENT()
    if (!row.gatewayToken) {
      await row.renewGatewayToken()
      await this.databaseRetry.run<unknown>(() => row.save())
    }
    return row
  }

  /**
   * Writes to a row that was read under the lease, while this process still holds it.
   *
   * @throws LeaseLost; nothing is written
   */
  async save(row: AgentRow, changes: RowChanges): Promise<void> {
    const before = momentOf(row)
    const isNewToken = 'gatewayTokenHash' in row.$dirty
    const { retryAt, lastActiveAt, startedAt, nextJobAt, ...plain } = changes
    Object.assign(row, plain)
    if (retryAt !== undefined) row.retryAt = time(retryAt)
    if (lastActiveAt !== undefined) row.lastActiveAt = time(lastActiveAt)
    if (startedAt !== undefined) row.startedAt = time(startedAt)
    if (nextJobAt !== undefined && row instanceof UserContainer) row.nextJobAt = time(nextJobAt)
    const lease = { leaseOwner: this.context.replicaId, leaseFence: row.leaseFence }
    const saved = await this.databaseRetry.run(() => row.saveWhere(lease))
    if (!saved) throw new LeaseLost(agentOf(row))
    if (isNewToken) this.context.tokenChanged?.()
    this.context.transition?.({ agent: agentOf(row), before, row })
  }

  /** Among any number of concurrent callers and processes, one creates the row and all get it. */
  async #create(agent: AgentKey): Promise<void> {
    const userId = agent.slice(agent.indexOf('/') + 1)
    if (!isUserAgent(agent) || !(await User.find(userId))) throw new E_UNKNOWN_AGENT()

    const { client } = UserContainer.query()
    const now = DateTime.fromMillis(this.context.clock.now()).toFormat(
      client.dialect.dateTimeFormat
    )
    await client
      .insertQuery()
      .table(UserContainer.table)
      .insert({
        id: createId(),
        user_id: userId,
        container_name: `mosaic-user-${userId}`,
        idle_timeout_min: await this.context.settings.get('agents.idleTimeoutMin'),
        created_at: now,
        updated_at: now,
      })
      .knexQuery.onConflict('user_id')
      .ignore()
  }
}

function isUserAgent(agent: AgentKey): boolean {
  return agent.startsWith('user/')
}

function time(ms: number | null): DateTime | null {
  return ms === null ? null : DateTime.fromMillis(ms)
}

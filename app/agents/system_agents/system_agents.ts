import type User from '#models/user'
import type { Actor } from '#settings/actor'
import type { OwnModel } from '#user_settings/own_models'
import type { Audit } from '#audit/audit'
import type { AgentKey } from '#agents/types'
import type { AgentLimits, NodeLabels } from '#models/types'
import type { PlacementRule } from '#agents/system_agents/placement'
import SystemContainer from '#models/system_container'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'
import { isUniqueViolation } from '#models/unique_violation'
import {
  E_SYSTEM_AGENT_NAME,
  E_SYSTEM_AGENT_RENAMED,
  E_UNKNOWN_MODEL,
} from '#agents/system_agents/errors'

/** The lifecycle methods that the service needs. */
export interface AgentControls {
  start(agent: AgentKey): Promise<unknown>
  stop(agent: AgentKey): Promise<unknown>
  restart(agent: AgentKey): Promise<unknown>
}

export interface SystemAgentInput {
  /** Unique: `mosaic-system-ops`. */
  name: string
  role: string
  /** `<provider name>/<model id>` of the admin's own, or a model id of their default provider. */
  primaryModel: string
  limits?: AgentLimits | null
  /** Labels that a node must have to run it; null for any node. */
  placement?: NodeLabels | null
}

export interface NewSystemAgent extends SystemAgentInput {
  /** An inactive agent is stopped and stays stopped. Default: true. */
  isActive?: boolean
}

export type SystemAgentChanges = Partial<NewSystemAgent>

/** Always-on agents that admins run for everyone. Each uses a provider of the admin who set it up. */
export class SystemAgents {
  constructor(
    protected controls: () => Promise<AgentControls>,
    protected audit: Audit,
    /** Finds a model among the admin's own: no other user's providers are accessible here. */
    protected ownModel: (admin: User, reference: string) => Promise<OwnModel | null>,
    protected placement: Pick<PlacementRule, 'check'> = { check: async () => {} }
  ) {}

  list({ page = FIRST_PAGE, limit = PAGE_LIMIT }: PageQuery) {
    return SystemContainer.query().orderBy('name').paginate(page, limit)
  }

  /** @throws E_ROW_NOT_FOUND */
  find(id: string): Promise<SystemContainer> {
    return SystemContainer.findOrFail(id)
  }

  /**
   * Creates a system agent and, unless it is inactive, starts it; the reconciler keeps it running.
   *
   * @throws E_SYSTEM_AGENT_NAME, E_UNKNOWN_MODEL, E_PLACEMENT_IGNORED
   */
  async create(input: NewSystemAgent, by: Actor): Promise<SystemContainer> {
    await this.#refuseTaken(input.name)
    const row = new SystemContainer()
    const { name, role, limits = null, isActive = true } = input
    row.merge({ name, role, limits, isActive, placement: await this.#placed(input.placement) })
    row.merge(await this.#model(by.user, input.primaryModel))
    row.desired = isActive ? 'running' : 'stopped'
    row.status = 'stopped'
    await row.renewGatewayToken()
    await row.save().catch((error: unknown) => {
      /** Another request has taken the name since it was looked for. */
      throw isUniqueViolation(error) ? new E_SYSTEM_AGENT_NAME() : error
    })
    await this.#note('system_agent.created', row, by, Object.keys(input))
    if (isActive) await this.start(row)
    return row
  }

  /** As `create`, or as `update` if the name exists, so that a setup step can be repeated. */
  async createOrUpdate(input: SystemAgentInput, by: Actor): Promise<SystemContainer> {
    const present = await SystemContainer.findBy('name', input.name)
    return present ? this.update(present, input, by) : this.create(input, by)
  }

  /**
   * Updates a system agent. It restarts with the changes, or stops if it is no longer active.
   *
   * @throws E_SYSTEM_AGENT_RENAMED, E_UNKNOWN_MODEL, E_PLACEMENT_IGNORED
   */
  async update(
    row: SystemContainer,
    changes: SystemAgentChanges,
    by: Actor
  ): Promise<SystemContainer> {
    await this.#merge(row, changes, by.user)
    const { isActive } = row.$dirty
    const changed = row.$isDirty
    await row.save()
    if (!changed) return row

    await this.#note('system_agent.changed', row, by, Object.keys(changes))
    if (isActive === true) await this.start(row)
    else if (isActive === false) await this.#stopped(row)
    else if (row.desired === 'running') await this.restart(row)
    return row
  }

  /**
   * Whether `update` with the same input would change it. Changes nothing.
   *
   * @throws as `update`
   */
  async wouldChange(id: string, changes: SystemAgentChanges, admin: User): Promise<boolean> {
    const row = await this.find(id)
    await this.#merge(row, changes, admin)
    return row.$isDirty
  }

  /** @throws E_UNKNOWN_MODEL, E_PLACEMENT_IGNORED */
  async checkNew({ primaryModel, placement }: NewSystemAgent, admin: User): Promise<void> {
    await this.#model(admin, primaryModel)
    await this.#placed(placement)
  }

  /** Stops and deletes a system agent. */
  async delete(row: SystemContainer, by: Actor): Promise<void> {
    await this.#stopped(row)
    await row.delete()
    await this.#note('system_agent.deleted', row, by, [])
  }

  async start(row: SystemContainer): Promise<void> {
    await (await this.controls()).start(keyOf(row))
  }

  /** Begins a stop, and returns. The row and the log show the outcome. */
  async stop(row: SystemContainer): Promise<void> {
    const controls = await this.controls()
    void controls.stop(keyOf(row)).catch(() => {})
  }

  async restart(row: SystemContainer): Promise<void> {
    await (await this.controls()).restart(keyOf(row))
  }

  async #stopped(row: SystemContainer): Promise<void> {
    await (await this.controls()).stop(keyOf(row))
  }

  async #merge(row: SystemContainer, changes: SystemAgentChanges, admin: User): Promise<void> {
    const { primaryModel, placement, ...plain } = changes
    if (plain.name !== undefined && plain.name !== row.name) throw new E_SYSTEM_AGENT_RENAMED()
    row.merge(plain)
    if (placement !== undefined) row.merge({ placement: await this.#placed(placement) })
    if (primaryModel !== undefined) row.merge(await this.#model(admin, primaryModel))
  }

  /** No labels are the same as none given. */
  async #placed(labels: NodeLabels | null | undefined): Promise<NodeLabels | null> {
    const placement = labels && Object.keys(labels).length > 0 ? labels : null
    await this.placement.check(placement)
    return placement
  }

  async #refuseTaken(name: string): Promise<void> {
    if (await SystemContainer.findBy('name', name)) throw new E_SYSTEM_AGENT_NAME()
  }

  async #model(admin: User, reference: string): Promise<OwnModel> {
    const model = await this.ownModel(admin, reference)
    if (!model) throw new E_UNKNOWN_MODEL()
    return model
  }

  async #note(action: string, row: SystemContainer, { user, address }: Actor, fields: string[]) {
    const subject = { type: 'system_agent', id: row.id }
    const details = { name: row.name, fields }
    await this.audit.record({ actor: user, action, subject, details, address })
  }
}

const keyOf = (row: SystemContainer): AgentKey => `system/${row.id}`

import type { Audit } from '#audit/audit'
import type { AgentKey } from '#agents/types'
import type { AgentLimits } from '#models/types'
import UserContainer from '#models/user_container'
import type { Actor } from '#settings/actor'

/** Recreates the instance of a running agent. Callers need not await it. */
export type Remake = (agent: AgentKey) => Promise<unknown>

/** Limits that admins set for single agents in place of the installation's limits. */
export class LimitChanges {
  constructor(
    protected remake: Remake,
    protected audit: Audit
  ) {}

  /**
   * Sets the limits of one agent; null restores the installation's. A running agent restarts with them
   * once no request is in flight, a stopped one gets them when it wakes.
   *
   * @throws E_ROW_NOT_FOUND
   */
  async set(id: string, limits: AgentLimits | null, by: Actor): Promise<void> {
    const row = await UserContainer.findOrFail(id)
    const kept = limits && Object.keys(limits).length > 0 ? limits : null
    if (isSame(row.limits, kept)) return

    await row.merge({ limits: kept }).save()
    await this.audit.record({
      actor: by.user,
      address: by.address,
      action: 'agent.limits_changed',
      subject: { type: 'user', id: row.userId },
      details: { limits: kept },
    })
    void this.remake(`user/${row.userId}`)
  }
}

function isSame(one: AgentLimits | null, other: AgentLimits | null): boolean {
  const names = ['memoryMb', 'cpus', 'processes'] as const
  return names.every((name) => one?.[name] === other?.[name])
}

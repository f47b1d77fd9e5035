import { BaseTransformer } from '@adonisjs/core/transformers'
import type AgentSummary from '#models/agent_summary'
import { lifecycleFields } from '#transformers/lifecycle_fields'

/** A user's agent in the admin's list: status only. */
export default class AdminAgentTransformer extends BaseTransformer<AgentSummary> {
  toObject() {
    const row = this.resource
    return {
      id: row.id,
      userId: row.userId,
      name: row.user.name,
      email: row.user.email ?? null,
      idleTimeoutMin: row.idleTimeoutMin,
      limits: row.limits ?? null,
      ...lifecycleFields(row),
    }
  }
}

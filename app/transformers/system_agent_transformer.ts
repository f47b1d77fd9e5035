import { BaseTransformer } from '@adonisjs/core/transformers'
import type SystemContainer from '#models/system_container'
import { lifecycleFields } from '#transformers/lifecycle_fields'

/** A system agent, for admins. */
export default class SystemAgentTransformer extends BaseTransformer<SystemContainer> {
  toObject() {
    const row = this.resource
    return {
      id: row.id,
      name: row.name,
      role: row.role,
      primaryModel: row.primaryModel ?? null,
      providerId: row.providerId ?? null,
      limits: row.limits ?? null,
      placement: row.placement ?? null,
      isActive: row.isActive,
      createdAt: row.createdAt.toUTC().toISO(),
      updatedAt: row.updatedAt.toUTC().toISO(),
      ...lifecycleFields(row),
    }
  }
}

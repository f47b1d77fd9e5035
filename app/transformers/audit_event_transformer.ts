import { BaseTransformer } from '@adonisjs/core/transformers'
import type AuditEvent from '#models/audit_event'

/** An event of the audit record. */
export default class AuditEventTransformer extends BaseTransformer<AuditEvent> {
  toObject() {
    const event = this.resource
    return {
      id: event.id,
      actor: event.actorId ? { id: event.actorId, name: event.actorName } : null,
      action: event.action,
      subject: event.subjectType
        ? {
            type: event.subjectType,
            id: event.subjectId,
            name: event.subjectUser?.email ?? event.subjectUser?.name ?? null,
          }
        : null,
      details: event.details ?? null,
      address: event.address ?? null,
      createdAt: event.createdAt.toUTC().toISO(),
      verified: Boolean(event.$extras.isVerified),
    }
  }
}

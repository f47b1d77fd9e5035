import { EventIds } from '#audit/event_ids'
import AuditEvent from '#models/audit_event'
import type User from '#models/user'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'

export interface AuditEntry {
  /** Who did it: a user, or none for a command or the installation itself. */
  actor?: User | null
  /** `noun.verb`: `provider.created`, `session.started`. */
  action: string
  subject?: { type: string; id: string }
  /** What changed, by name: never a secret, a prompt or an answer. */
  details?: Record<string, unknown>
  /** The network address it came from. */
  address?: string | null
}

/** The append-only record of who did what. */
export class Audit {
  readonly #ids = new EventIds()

  async record({ actor, action, subject, details, address }: AuditEntry): Promise<void> {
    await AuditEvent.create({
      id: this.#ids.next(),
      actorId: actor?.id ?? null,
      actorName: actor ? (actor.email ?? actor.name) : null,
      action,
      subjectType: subject?.type ?? null,
      subjectId: subject?.id ?? null,
      details: details ?? null,
      address: address ?? null,
    })
  }
  /** Newest first. */
  list({ page = FIRST_PAGE, limit = PAGE_LIMIT }: PageQuery) {
    return AuditEvent.query().orderBy('id', 'desc').paginate(page, limit)
  }
}

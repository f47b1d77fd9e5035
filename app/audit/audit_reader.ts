import type { DateTime } from 'luxon'
import type { AuditChain } from '#audit/audit_chain'
import AuditEvent from '#models/audit_event'
import { whereContains } from '#models/folded'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'

/** Selects events. Times are inclusive, and exact to the second. */
export interface AuditFilter {
  /** An id, or part of a name. */
  actor?: string
  /** The whole action or its prefix: `user` finds `user.invited`. */
  action?: string
  subject?: string
  from?: DateTime
  to?: DateTime
}

/** Reads the record. Each event is marked as verified or not: see `AuditChain.mark`. */
export class AuditReader {
  constructor(protected chain: AuditChain) {}

  /** Returns events newest first, with the people they concern. */
  async list({ page = FIRST_PAGE, limit = PAGE_LIMIT, ...filter }: PageQuery & AuditFilter) {
    const found = await this.#query(filter).preload('subjectUser').paginate(page, limit)
    await this.chain.mark(found.all())
    return found
  }

  /** Yields all matching events, newest first, read in batches. */
  async *all(filter: AuditFilter, batch = 500): AsyncGenerator<AuditEvent> {
    for (let before: string | null = null; ;) {
      const query = this.#query(filter).limit(batch)
      if (before) void query.where('id', '<', before)
      const events = await query
      await this.chain.mark(events)
      yield* events
      if (events.length < batch) return
      before = events[events.length - 1].id
    }
  }

  #query({ actor, action, subject, from, to }: AuditFilter) {
    const query = AuditEvent.query().orderBy('id', 'desc')
    if (actor) {
      void query.where((named) => {
        void named.where('actor_id', actor)
        void named.orWhere((by) => whereContains(by, ['actor_name'], actor))
      })
    }
    if (action) {
      const pattern = `${escaped(action)}.%`
      void query.where((named) => {
        void named.where({ action }).orWhereRaw(`action like ? escape '\\'`, [pattern])
      })
    }
    if (subject) void query.where('subject_id', subject)
    const { dateTimeFormat } = query.client.dialect
    if (from) void query.where('created_at', '>=', from.toUTC().toFormat(dateTimeFormat))
    if (to) void query.where('created_at', '<=', to.toUTC().toFormat(dateTimeFormat))
    return query
  }
}

const escaped = (text: string) => text.replace(/[\\%_]/g, '\\$&')

import { setTimeout as wait } from 'node:timers/promises'
import { DateTime } from 'luxon'
import { BEGINNING, hashOf } from '#audit/chain'
import { EventIds } from '#audit/event_ids'
import AuditEvent from '#models/audit_event'
import type User from '#models/user'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'
import { isUniqueViolation } from '#models/unique_violation'

/** Other copies append as well: each lost race means that another event was kept. */
const MAX_TRIES = 20
const RETRY_MS = 10

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

/** Which events. Times are inclusive, and exact to the second. */
export interface AuditFilter {
  /** The id, or a part of the name. */
  actor?: string
  /** The whole action, or its beginning: `user` finds `user.invited`. */
  action?: string
  subject?: string
  from?: DateTime
  to?: DateTime
}

/** The append-only record of who did what: every event seals the one before it. */
export class Audit {
  readonly #ids = new EventIds()
  #last: Promise<unknown> = Promise.resolve()

  constructor(
    protected key: () => Promise<string>,
    protected pause: (ms: number) => Promise<unknown> = wait
  ) {}

  /** One at a time in this process, because each follows the one before. */
  record(entry: AuditEntry): Promise<void> {
    const recorded = this.#last.then(() => this.#append(entry))
    this.#last = recorded.catch(() => {})
    return recorded
  }

  /** Newest first, with the people whom it was done to. */
  list({ page = FIRST_PAGE, limit = PAGE_LIMIT, ...filter }: PageQuery & AuditFilter) {
    return this.#query(filter).preload('subjectUser').paginate(page, limit)
  }

  /** All events that the filter finds, newest first, read in batches. */
  async *all(filter: AuditFilter, batch = 500): AsyncGenerator<AuditEvent> {
    for (let before: string | null = null; ;) {
      const query = this.#query(filter).limit(batch)
      if (before) void query.where('id', '<', before)
      const events = await query
      yield* events
      if (events.length < batch) return
      before = events[events.length - 1].id
    }
  }

  async #append({ actor, action, subject, details, address }: AuditEntry): Promise<void> {
    const key = await this.key()
    const event = {
      actorId: actor?.id ?? null,
      actorName: actor ? (actor.email ?? actor.name) : null,
      action,
      subjectType: subject?.type ?? null,
      subjectId: subject?.id ?? null,
      details: details ?? null,
      address: address ?? null,
    }
    for (let tries = 1; ; tries++) {
      try {
        return await this.#insert({ ...event, id: this.#ids.next() }, key)
      } catch (error) {
        if (!isUniqueViolation(error) || tries === MAX_TRIES) throw error
        await this.pause(RETRY_MS * tries * (0.5 + Math.random()))
      }
    }
  }

  async #insert(event: Partial<AuditEvent>, key: string): Promise<void> {
    const before = await AuditEvent.query()
      .whereNotNull('sequence')
      .orderBy('sequence', 'desc')
      .first()
    const row = new AuditEvent()
    /** To the second, as every database keeps it. */
    row.merge({
      ...event,
      sequence: (before?.sequence ?? 0) + 1,
      createdAt: DateTime.utc().startOf('second'),
    })
    row.hash = hashOf(row, before?.hash ?? BEGINNING, key)
    await row.save()
  }

  #query({ actor, action, subject, from, to }: AuditFilter) {
    const query = AuditEvent.query().orderBy('id', 'desc')
    if (actor) {
      const pattern = `%${escaped(actor.toLowerCase())}%`
      void query.where((named) => {
        void named
          .where('actor_id', actor)
          .orWhereRaw(`lower(actor_name) like ? escape '\\'`, [pattern])
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

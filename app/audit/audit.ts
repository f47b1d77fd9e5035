import type { KeyObject } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { DateTime } from 'luxon'
import { BEGINNING, hashOf } from '#audit/chain'
import { EventIds } from '#audit/event_ids'
import { systemClock, type Clock } from '#timing/clock'
import { within } from '#timing/deadline'
import AuditEvent from '#models/audit_event'
import type User from '#models/user'
import { isUniqueViolation } from '#models/unique_violation'
import type { Actor } from '#settings/actor'

/** Other replicas append as well. Each lost race means that another event was stored. */
const MAX_TRIES = 20
const RETRY_MS = 10

export interface AuditEntry {
  /** The acting user; none for a command or the installation itself. */
  actor?: User | null
  /** `noun.verb`: `provider.created`, `session.started`. */
  action: string
  subject?: { type: string; id: string }
  /** What changed, by name; never a secret, a prompt or an answer. */
  details?: Record<string, unknown>
  /** The client's network address. */
  address?: string | null
}

/** How long an event may hold up those after it, in milliseconds: a database that is busy answers sooner. */
const MAX_TURN_MS = 10_000

/** The append-only audit log: every event seals the one before it. */
export class Audit {
  readonly #ids = new EventIds()
  #last: Promise<unknown> = Promise.resolve()

  /**
   * @param key seals each event
   * @param tellHead receives each new head of the chain: a copy kept elsewhere reveals a truncated end
   * later
   */
  constructor(
    protected key: KeyObject,
    protected tellHead: (head: { sequence: number; hash: string }) => void = () => {},
    protected pause: (ms: number) => Promise<unknown> = wait,
    protected clock: Clock = systemClock
  ) {}

  /**
   * Serialized within this process, because each event follows the one before. If the database does not answer for
   * one, the others go on without it after a while: two events never get the same place.
   */
  record(entry: AuditEntry): Promise<void> {
    const recorded = Promise.withResolvers<void>()
    this.#last = this.#last.then(() => {
      const appended = this.#append(entry)
      appended.then(recorded.resolve, recorded.reject)
      return within(this.clock, MAX_TURN_MS, undefined, () => appended).catch(() => {})
    })
    return recorded.promise
  }

  /** Records what somebody did to a user. */
  recordOfUser(action: string, { id }: User, by: Actor, details?: AuditEntry['details']) {
    const { user: actor, address } = by
    return this.record({ actor, address, action, subject: { type: 'user', id }, details })
  }

  async #append({ actor, action, subject, details, address }: AuditEntry): Promise<void> {
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
        return await this.#insert({ ...event, id: this.#ids.next() })
      } catch (error) {
        if (!isUniqueViolation(error) || tries === MAX_TRIES) throw error
        await this.pause(RETRY_MS * tries * (0.5 + Math.random()))
      }
    }
  }

  async #insert(event: Partial<AuditEvent>): Promise<void> {
    const before = await AuditEvent.query()
      .whereNotNull('sequence')
      .orderBy('sequence', 'desc')
      .first()
    const row = new AuditEvent()
    /** Exact to the second, the precision of every supported database. */
    row.merge({
      ...event,
      sequence: (before?.sequence ?? 0) + 1,
      createdAt: DateTime.utc().startOf('second'),
    })
    row.hash = hashOf(row, before?.hash ?? BEGINNING, this.key)
    await row.save()
    this.tellHead({ sequence: row.sequence!, hash: row.hash })
  }
}

import { createHash, createHmac } from 'node:crypto'
import type AuditEvent from '#models/audit_event'

/** What the first event follows. */
export const BEGINNING = '0'.repeat(64)

/** What is sealed of an event: all that it tells, and its place. */
type Sealed = Pick<
  AuditEvent,
  | 'sequence'
  | 'id'
  | 'actorId'
  | 'actorName'
  | 'action'
  | 'subjectType'
  | 'subjectId'
  | 'details'
  | 'address'
  | 'createdAt'
>

/**
 * The seal of an event that follows the one with the hash `previous`, as 64 hexadecimal characters. It is
 * keyed: who writes into the database, but does not hold `MOSAIC_SECRET_KEY`, cannot make a chain.
 */
export function hashOf(event: Sealed, previous: string, key: Buffer): string {
  return createHmac('sha256', key).update(contentOf(event, previous)).digest('hex')
}

/** A digest of all events up to this one, seals included; `before` is that of the events before it. */
export function digestOf(event: Sealed & Pick<AuditEvent, 'hash'>, before: string): string {
  return createHash('sha256')
    .update(JSON.stringify([before, event.hash, contentOf(event, '')]))
    .digest('hex')
}

function contentOf(event: Sealed, previous: string): string {
  return JSON.stringify([
    previous,
    event.sequence,
    event.id,
    event.actorId ?? null,
    event.actorName ?? null,
    event.action,
    event.subjectType ?? null,
    event.subjectId ?? null,
    sorted(event.details ?? null),
    event.address ?? null,
    event.createdAt.toUnixInteger(),
  ])
}

/** The same text for the same content, in whatever order a database gives the keys back. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return entries.map(([key, inner]) => [key, sorted(inner)])
}

import { createHash, createHmac, type KeyObject } from 'node:crypto'
import type AuditEvent from '#models/audit_event'

/** The predecessor hash of the first event. */
export const BEGINNING = '0'.repeat(64)

/** The sealed part of an event: all its content, and its place. */
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
 * Returns an event's seal, given its predecessor's hash `previous`, as 64 hexadecimal characters. It is
 * keyed: write access to the database without `MOSAIC_SECRET_KEY` is not enough to forge a chain.
 */
export function hashOf(event: Sealed, previous: string, key: KeyObject): string {
  return createHmac('sha256', key).update(contentOf(event, previous)).digest('hex')
}

/**
 * Returns a digest of all events up to this one, seals included; `before` is the digest of its
 * predecessors.
 */
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

/** Returns the same text for the same content, in whatever order a database returns the keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return entries.map(([key, inner]) => [key, sorted(inner)])
}

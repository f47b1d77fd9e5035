import { BEGINNING, digestOf, hashOf } from '#audit/chain'
import AuditEvent from '#models/audit_event'
import type { AuditKeys } from '#audit/audit_keys'

export const ANCHORED = 'audit.anchored'

/** Candidates to check. More forged anchors than this break the chain in any case. */
const MAX_LOOKED_AT = 50

/**
 * The details of an `audit.anchored` event: the events up to `through` were verified when it was
 * recorded, and have this digest. The proof survives the loss of the keys that sealed them.
 */
export interface Anchor {
  through: number
  /** Of the events up to `through`: see `digestOf`. */
  digest: string
  /** Events from before the chain, as found when it began. Nothing vouches for them. */
  unsealed: { count: number; digest: string } | null
}

export interface FoundAnchor extends Anchor {
  /** Whether the current key sealed it. */
  isPresent: boolean
}

/** Returns the newest anchor sealed by a known key, or null. */
export async function lastAnchor(keys: AuditKeys): Promise<FoundAnchor | null> {
  const events = await AuditEvent.query()
    .where('action', ANCHORED)
    .where('sequence', '>', 0)
    .orderBy('sequence', 'desc')
    .limit(MAX_LOOKED_AT)
  for (const event of events) {
    const before = await AuditEvent.findBy('sequence', event.sequence! - 1)
    const previous = before?.hash ?? BEGINNING
    const key = keys.findIndex((one) => hashOf(event, previous, one) === event.hash)
    if (key >= 0) return { ...(event.details as unknown as Anchor), isPresent: key === 0 }
  }
  return null
}

/** Returns the events from before the chain, as recorded in an anchor. */
export async function unsealedEvents(): Promise<Anchor['unsealed']> {
  let count = 0
  let digest = BEGINNING
  for (let after = ''; ;) {
    const events = await AuditEvent.query()
      .whereNull('sequence')
      .where('id', '>', after)
      .orderBy('id')
      .limit(500)
    for (const event of events) digest = digestOf(event, digest)
    count += events.length
    if (events.length < 500) return count > 0 ? { count, digest } : null
    after = events[events.length - 1].id
  }
}

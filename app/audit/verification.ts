import type { AuditKeys } from '#audit/audit_keys'
import { lastAnchor, unsealedEvents, type FoundAnchor } from '#audit/anchors'
import { BEGINNING, digestOf, hashOf } from '#audit/chain'
import AuditEvent from '#models/audit_event'

/** Events per query. */
const BATCH = 500

/** The first break of the record. */
export interface AuditBreak {
  /** `outside`: there are events without a place in the chain, which Mosaic did not record. */
  problem: 'altered' | 'missing' | 'cut_off' | 'outside'
  /** The first event that is unproven or missing; for `cut_off`, the last one present. */
  sequence: number | null
}

/** The result of a verification. */
export interface AuditVerification {
  /** Events with a valid seal, counted from the first. */
  verified: number
  /** Events from before the chain, which cannot be verified. */
  unsealed: number
  /** Events without a place in the chain: no sequence, one below the first, or a duplicate. */
  outside: number
  /** The last event. A copy kept elsewhere proves later that the end was not cut off. */
  head: { sequence: number; hash: string } | null
  broken: AuditBreak | null
  /** Whether the whole record holds by the current key alone, so that former keys can be dropped. */
  isAnchored: boolean
  /** Digest of the verified events: see `digestOf`. */
  digest: string
}

/**
 * Walks the whole record and checks each event's seal. Events that were altered, removed, moved or
 * added outside the chain break it. With `expected`, the hash of a head noted earlier, a truncated end
 * is found too.
 */
export async function verifyAudit(keys: AuditKeys, expected?: string): Promise<AuditVerification> {
  const walk = new Walk(keys, await lastAnchor(keys))
  let broken: AuditBreak | null = null
  let found = expected === undefined
  for (let isMore = true; isMore && !broken;) {
    const events = await AuditEvent.query()
      .where('sequence', '>', walk.sequence)
      .orderBy('sequence')
      .limit(BATCH)
    isMore = events.length === BATCH
    for (const event of events) {
      broken = walk.follow(event)
      if (broken) break
      found ||= event.hash === expected
    }
  }
  const { verified, head, isAnchored, digest } = walk
  const { unsealed, outside } = await strays(walk)
  broken ??= walk.end()
  if (!broken && outside > 0) broken = { problem: 'outside', sequence: null }
  if (!broken && !found) broken = { problem: 'cut_off', sequence: head?.sequence ?? null }
  return { verified, unsealed, outside, head, broken, isAnchored, digest }
}

/** Counts the events that the walk did not meet. */
async function strays({ sequence, anchor }: Walk) {
  const rows = await AuditEvent.query()
    .where((aside) => void aside.whereNull('sequence').orWhere('sequence', '<=', sequence))
    .count('* as total')
    .firstOrFail()
  const aside = Number(rows.$extras.total) - sequence
  const before = await unsealedEvents()
  const isKnown = before !== null && before.digest === anchor?.unsealed?.digest
  const unsealed = isKnown ? before.count : 0
  return { unsealed, outside: Math.max(0, aside - unsealed) }
}

/** A walk along the chain, event by event. */
class Walk {
  sequence = 0
  digest = BEGINNING
  isAnchored = true
  #hash = BEGINNING
  /** The first event that no known key sealed, while an anchor may still vouch for it. */
  #unsure: number | null = null

  constructor(
    protected keys: AuditKeys,
    readonly anchor: FoundAnchor | null
  ) {}

  get verified(): number {
    return this.#unsure === null ? this.sequence : this.#unsure - 1
  }

  get head() {
    return this.sequence > 0 ? { sequence: this.sequence, hash: this.#hash } : null
  }

  /** Checks the next event. Returns its fault, or null. */
  follow(event: AuditEvent): AuditBreak | null {
    const sequence = this.sequence + 1
    if (event.sequence !== sequence) {
      const isLater = Number.isInteger(event.sequence) && event.sequence! > sequence
      return isLater ? { problem: 'missing', sequence } : { problem: 'outside', sequence: null }
    }
    const key = this.keys.findIndex((one) => hashOf(event, this.#hash, one) === event.hash)
    const through = this.anchor?.through ?? 0
    if (key < 0 && sequence > through) return { problem: 'altered', sequence }
    if (key < 0) this.#unsure ??= sequence
    if (key !== 0 && (sequence > through || !this.anchor?.isPresent)) this.isAnchored = false

    this.sequence = sequence
    this.#hash = event.hash!
    this.digest = digestOf(event, this.digest)
    if (sequence !== through || this.#unsure === null) return null
    if (this.digest !== this.anchor!.digest) return this.end()
    this.#unsure = null
    return null
  }

  /** Reports an event that no anchor vouched for. */
  end(): AuditBreak | null {
    return this.#unsure === null ? null : { problem: 'altered', sequence: this.#unsure }
  }
}

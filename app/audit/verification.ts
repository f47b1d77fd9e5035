import type { AuditKeys } from '#audit/audit_keys'
import { lastAnchor, unsealedEvents, type FoundAnchor } from '#audit/anchors'
import { BEGINNING, digestOf, hashOf } from '#audit/chain'
import AuditEvent from '#models/audit_event'

/** Events read at a time. */
const BATCH = 500

/** Where the record breaks first, and how. */
export interface AuditBreak {
  /** `outside`: there are events without a place in the chain, which nobody recorded. */
  problem: 'altered' | 'missing' | 'cut_off' | 'outside'
  /** The first event that nothing shows to be as recorded, that is gone, or the last that is known. */
  sequence: number | null
}

/** What was found of the record. */
export interface AuditVerification {
  /** Events whose seal is right, from the first on. */
  verified: number
  /** Events from before there was a chain: nothing tells if they are as they were. */
  unsealed: number
  /** Events that have no place in the chain: without a sequence, below its first, or beside another. */
  outside: number
  /** The last event: kept elsewhere, it shows later that nothing was cut off the end. */
  head: { sequence: number; hash: string } | null
  broken: AuditBreak | null
  /** Whether all holds by the present key alone: the former keys may go. */
  isAnchored: boolean
  /** Of the verified events: see `digestOf`. */
  digest: string
}

/**
 * Walks the whole record and checks each event's seal. An event that was altered, removed, put elsewhere or
 * added beside the chain breaks it. With `expected`, the hash of a head noted earlier, an end that was cut
 * off is found too.
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

/** Events that the walk did not meet on its way from the first on. */
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

/** The way along the chain, one event after the other. */
class Walk {
  sequence = 0
  digest = BEGINNING
  isAnchored = true
  #hash = BEGINNING
  /** The first event that no known key sealed, while the anchor may still vouch for it. */
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

  /** Takes the next event; what is wrong with it, or null. */
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

  /** No anchor vouches for what is unsure still. */
  end(): AuditBreak | null {
    return this.#unsure === null ? null : { problem: 'altered', sequence: this.#unsure }
  }
}

import type { KeyObject } from 'node:crypto'
import { ANCHORED, unsealedEvents, type Anchor } from '#audit/anchors'
import type { Audit } from '#audit/audit'
import type { AuditKeys } from '#audit/audit_keys'
import { BEGINNING, hashOf } from '#audit/chain'
import { verifyAudit, type AuditVerification } from '#audit/verification'
import AuditEvent from '#models/audit_event'

/** Verifies the audit chain, and anchors it so that it outlives the keys that sealed it. */
export class AuditChain {
  /** @param legacy the key of earlier versions, while it is kept: see `legacyAuditKey` */
  constructor(
    protected keys: AuditKeys,
    protected legacy: () => Promise<KeyObject | null>,
    protected audit: Audit
  ) {}

  async verify(expected?: string): Promise<AuditVerification> {
    return verifyAudit(await this.#known(), expected)
  }

  /**
   * Verifies the record and records the result in an event sealed with the current key, so that former
   * keys can be dropped. Records nothing if the chain is broken, or already holds by the current key
   * alone.
   *
   * @param begins whether events from before the chain are recorded as unsealed, which happens once
   */
  async anchor({ begins = false } = {}): Promise<AuditVerification> {
    const found = await this.verify()
    const before = begins || found.unsealed > 0 ? await unsealedEvents() : null
    const isOnlyBefore = begins && found.broken?.problem === 'outside' && before !== null
    if (found.broken && !(isOnlyBefore && found.outside === before.count)) return found
    if (found.isAnchored && !isOnlyBefore) return found

    const { verified: through, digest } = found
    const anchor: Anchor = { through, digest, unsealed: before }
    await this.audit.record({ action: ANCHORED, details: { ...anchor } })
    return this.verify()
  }

  /** Marks each event that a known key sealed in its place: `$extras.isVerified`. */
  async mark(events: AuditEvent[]): Promise<void> {
    const places = events.flatMap(({ sequence }) => (isPlace(sequence) ? [sequence - 1] : []))
    const before = await AuditEvent.query().select('sequence', 'hash').whereIn('sequence', places)
    const hashes = new Map(before.map(({ sequence, hash }) => [sequence, hash]))
    const keys = await this.#known()
    for (const event of events) {
      const { sequence, hash } = event
      const previous = sequence === 1 ? BEGINNING : hashes.get(sequence! - 1)
      event.$extras.isVerified =
        isPlace(sequence) &&
        typeof previous === 'string' &&
        keys.some((key) => hashOf(event, previous, key) === hash)
    }
  }

  async #known(): Promise<AuditKeys> {
    const legacy = await this.legacy()
    return legacy ? [...this.keys, legacy] : this.keys
  }
}

const isPlace = (sequence: number | null): sequence is number =>
  Number.isInteger(sequence) && sequence! > 0

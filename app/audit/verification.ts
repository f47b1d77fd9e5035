import { BEGINNING, hashOf } from '#audit/chain'
import AuditEvent from '#models/audit_event'

/** Events read at a time. */
const BATCH = 500

/** Where the chain breaks first, and how. */
export interface AuditBreak {
  problem: 'altered' | 'missing' | 'cut_off'
  /** The place of the event that is not as it was, is gone, or was the last that is known. */
  sequence: number | null
}

/** What was found of the record. */
export interface AuditVerification {
  /** Events whose seal is right, from the first on. */
  verified: number
  /** Events from before there was a chain: nothing tells if they are as they were. */
  unsealed: number
  /** The last event: kept elsewhere, it shows later that nothing was cut off the end. */
  head: { sequence: number; hash: string } | null
  broken: AuditBreak | null
}

/**
 * Walks the whole record and checks each event's seal. An event that was altered, removed or put
 * elsewhere breaks the chain. With `expected`, the hash of a head noted earlier, an end that was cut
 * off is found too.
 */
export async function verifyAudit(key: string, expected?: string): Promise<AuditVerification> {
  const unsealed = await AuditEvent.query().whereNull('sequence').count('* as total').firstOrFail()
  const result: AuditVerification = {
    verified: 0,
    unsealed: Number(unsealed.$extras.total),
    head: null,
    broken: null,
  }
  let found = expected === undefined
  for (;;) {
    const events = await AuditEvent.query()
      .where('sequence', '>', result.verified)
      .orderBy('sequence')
      .limit(BATCH)
    for (const event of events) {
      const sequence = result.verified + 1
      if (event.sequence !== sequence) return broken(result, 'missing', sequence)
      const hash = hashOf(event, result.head?.hash ?? BEGINNING, key)
      if (hash !== event.hash) return broken(result, 'altered', sequence)
      result.verified = sequence
      result.head = { sequence, hash }
      found ||= hash === expected
    }
    if (events.length < BATCH) break
  }
  return found ? result : broken(result, 'cut_off', result.head?.sequence ?? null)
}

function broken(
  result: AuditVerification,
  problem: AuditBreak['problem'],
  sequence: number | null
): AuditVerification {
  return { ...result, broken: { problem, sequence } }
}

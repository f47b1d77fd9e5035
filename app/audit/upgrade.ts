import { ANCHORED } from '#audit/anchors'
import type { AuditChain } from '#audit/audit_chain'
import AuditEvent from '#models/audit_event'
import SystemConfig from '#models/system_config'

/** The outcome of upgrading an earlier version's record. */
export type AuditUpgrade = 'not needed' | 'anchored' | 'finished' | 'broken'

/**
 * Anchors an earlier version's record, which has its key among the settings or no chain yet. The next
 * boot deletes the key, when no replica of that version seals with it any more. A broken record keeps
 * its key, and `audit:verify` reports the place.
 */
export async function upgradeAudit(chain: AuditChain): Promise<AuditUpgrade> {
  const legacy = await SystemConfig.findBy('key', 'audit.key')
  const begins = await isBeginning(legacy !== null)
  if (!legacy && !begins) return 'not needed'

  if (legacy && !begins) {
    const { broken, isAnchored } = await chain.verify()
    if (!broken && isAnchored) {
      await legacy.delete()
      return 'finished'
    }
  }
  const { broken } = await chain.anchor({ begins })
  return broken ? 'broken' : 'anchored'
}

/** Whether there are events from before the chain that no anchor covers yet. */
async function isBeginning(hasLegacyKey: boolean): Promise<boolean> {
  const before = await AuditEvent.query().whereNull('sequence').first()
  if (!before) return false
  const chained = await AuditEvent.query().whereNotNull('sequence').first()
  const anchored = await AuditEvent.query().where('action', ANCHORED).first()
  return hasLegacyKey ? !anchored : !chained
}

import { ANCHORED } from '#audit/anchors'
import type { AuditChain } from '#audit/audit_chain'
import AuditEvent from '#models/audit_event'
import SystemConfig from '#models/system_config'

/** What became of a record that an earlier version kept. */
export type AuditUpgrade = 'not needed' | 'anchored' | 'finished' | 'broken'

/**
 * Anchors a record of an earlier version, whose key stands among the settings or which has no chain yet. The
 * boot after that forgets the key, when no replica of that version seals with it any more. A record that is
 * broken keeps its key, and `audit:verify` says where.
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

/** Whether there are events from before the chain that no anchor has told of yet. */
async function isBeginning(hasLegacyKey: boolean): Promise<boolean> {
  const before = await AuditEvent.query().whereNull('sequence').first()
  if (!before) return false
  const chained = await AuditEvent.query().whereNotNull('sequence').first()
  const anchored = await AuditEvent.query().where('action', ANCHORED).first()
  return hasLegacyKey ? !anchored : !chained
}

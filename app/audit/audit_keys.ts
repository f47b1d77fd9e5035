import type { SecretKey } from '#vaults/secret_keys'
import type { Settings } from '#settings/settings'

const PURPOSE = 'mosaic/audit/v1'

/** The key that seals, and after it those that sealed before: none is in the database. */
export type AuditKeys = readonly [Buffer, ...Buffer[]]

/** Each key of the chain follows from one of `MOSAIC_SECRET_KEY`. */
export function auditKeys([present, ...former]: readonly [SecretKey, ...SecretKey[]]): AuditKeys {
  return [present.derive(PURPOSE), ...former.map((key) => key.derive(PURPOSE))]
}

/**
 * The key of earlier versions, which kept it sealed among the settings; null where there is none, or where
 * what stands in its place does not open. It is read until the chain is anchored: see `AuditChain`.
 */
export async function legacyAuditKey(settings: Settings): Promise<Buffer | null> {
  const key = await settings.get('audit.key').catch(() => null)
  return key === null ? null : Buffer.from(key, 'base64url')
}

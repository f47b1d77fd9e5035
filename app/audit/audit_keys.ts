import { createSecretKey, type KeyObject } from 'node:crypto'
import type { SecretKey } from '#vaults/secret_keys'
import type { Settings } from '#settings/settings'

const PURPOSE = 'mosaic/audit/v1'

/** The sealing key, followed by the former ones. None of them is in the database. */
export type AuditKeys = readonly [KeyObject, ...KeyObject[]]

/** Derives each key of the chain from one in `MOSAIC_SECRET_KEY`. */
export function auditKeys([present, ...former]: readonly [SecretKey, ...SecretKey[]]): AuditKeys {
  return [present.derive(PURPOSE), ...former.map((key) => key.derive(PURPOSE))]
}

/**
 * Returns the key of earlier versions, which they stored sealed among the settings; null if there is
 * none or it does not open. It is read until the chain is anchored: see `AuditChain`.
 */
export async function legacyAuditKey(settings: Settings): Promise<KeyObject | null> {
  const key = await settings.get('audit.key').catch(() => null)
  return key === null ? null : createSecretKey(key, 'base64url')
}

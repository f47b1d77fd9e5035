import { sealedValues } from '#installation/sealed_values'
import type { SealContext } from '#vaults/contract'
import type { VaultManager } from '#vaults/manager'

/** Any text and place: only the key that seals it counts. */
const PROBE = 'which key'
const NOWHERE: SealContext = { table: 'none', column: 'none', rowId: 'none' }

/** Progress of a rotation. `failed` counts secrets that did not open; they stay unchanged. */
export interface RotationStatistics {
  examined: number
  resealed: number
  failed: number
}

export interface Resealer {
  reseal(sealed: string, context: SealContext): Promise<string>
  checkLasting(): Promise<void>
}

/**
 * Reseals every secret with the default vault and its current key, while Mosaic runs. Skips a secret that
 * changes meanwhile, because that change already seals it there. Safe to interrupt and run again.
 *
 * @throws E_VAULT_NOT_LASTING, before any secret is touched, if the next start would open none of them
 */
export async function rotateVault(vault: Resealer): Promise<RotationStatistics> {
  await vault.checkLasting()
  const statistics = { examined: 0, resealed: 0, failed: 0 }
  for await (const { sealed, context, replace } of sealedValues()) {
    statistics.examined++
    const resealed = await vault.reseal(sealed, context).catch(() => null)
    if (resealed === null) statistics.failed++
    if (resealed === null || resealed === sealed) continue
    await replace(resealed)
    statistics.resealed++
  }
  return statistics
}

/**
 * Returns whether a secret needs no other key than the one with which the vault in use seals.
 *
 * @throws E_UNKNOWN_DRIVER, and like `VaultManager.seal`
 */
export async function sealedByPresentKey(
  vaults: Pick<VaultManager, 'use' | 'seal'>
): Promise<(sealed: string) => boolean> {
  const vault = await vaults.use()
  const present = vault.keyId(await vaults.seal(PROBE, NOWHERE))
  return (sealed) => vault.keyId(sealed) === present
}

/** Counts the secrets that another key or vault sealed. While there are any, it must stay. Throws as above. */
export async function countFormer(vaults: Pick<VaultManager, 'use' | 'seal'>): Promise<number> {
  const isPresent = await sealedByPresentKey(vaults)
  let former = 0
  for await (const { sealed } of sealedValues()) if (!isPresent(sealed)) former++
  return former
}

import { sealedValues } from '#installation/sealed_values'
import type { SealContext } from '#vaults/contract'

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

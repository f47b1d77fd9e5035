import { sealedValues } from '#installation/sealed_values'
import type { SealContext } from '#vaults/contract'

/** What is done of a rotation. `failed` are secrets that did not open; they are left as they are. */
export interface RotationStatistics {
  examined: number
  resealed: number
  failed: number
}

export interface Resealer {
  reseal(sealed: string, context: SealContext): Promise<string>
}

/**
 * Moves, while Mosaic runs, every secret to the default vault and its present key. Skips a secret that changes
 * meanwhile, because that change sealed it there. Safe to interrupt and run again at any time.
 */
export async function rotateVault(vault: Resealer): Promise<RotationStatistics> {
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

import { toFinding, type Findings } from '#console/findings'
import { hasCode } from '#drivers/error_code'
import { checkBoot, checkVault } from '#installation/boot_check'
import { sealedValues } from '#installation/sealed_values'
import { sealedByPresentKey } from '#installation/vault_rotation'
import type { Settings } from '#settings/settings'
import { E_VAULT_MISSING } from '#vaults/errors'
import type { VaultManager } from '#vaults/manager'

/** Counts of the database's secrets. */
interface SecretsByVault {
  /** By the name of each vault that knows their format. */
  inUse: Map<string, number>
  /** Those that no vault knows, by the message of their `E_VAULT_MISSING`. */
  lost: Map<string, number>
  /** Those that another key or vault sealed than the one in use. */
  former: number
}

/**
 * Examines the vaults and the secrets they sealed. Needs a database with tables. Reports each fault once: a
 * vault that is down also fails to open the sentinel.
 */
export async function examineVaults(vaults: VaultManager, settings: Settings): Promise<Findings> {
  const findings: Findings = []
  try {
    checkVault(vaults)
  } catch (error) {
    findings.push(toFinding(error))
  }
  const { inUse, lost, former } = await secretsByVault(vaults)
  const named = await Promise.all(
    vaults
      .names()
      .map((name) => faultsOf(vaults, name, name === vaults.defaultName || inUse.has(name)))
  )
  findings.push(...named.flat())

  const isDown = findings.some(({ severity }) => severity === 'error')
  const failure = await checkBoot(settings).then(
    () => null,
    (error: unknown) => error
  )
  const isNews =
    !isDown || hasCode(failure, 'E_VAULT_WRONG_KEY', 'E_VAULT_UNKNOWN_KEY', 'E_VAULT_TAMPERED')
  if (failure && isNews && !hasCode(failure, 'E_VAULT_MISSING')) findings.push(toFinding(failure))

  for (const [message, count] of lost) {
    const counted = `${message} Secrets like it: ${count}.`
    findings.push({ severity: 'error', message: counted, hint: E_VAULT_MISSING.help })
  }
  const isHealthy = findings.every(({ severity }) => severity !== 'error')
  if (isHealthy && former > 0) {
    findings.push({
      severity: 'warning',
      message: `Secrets that still need a former key or vault: ${former}.`,
      hint: 'Keep that key and vault. Restart every replica of Mosaic, then run "node ace vault:rotate".',
    })
  }
  return findings
}

/** Returns a vault's faults, which are only warnings while nothing needs it. */
async function faultsOf(vaults: VaultManager, name: string, isNeeded: boolean): Promise<Findings> {
  const faults = await vaults.preflight(name).catch((error: unknown) => [toFinding(error)])
  return faults.map(({ severity, message, hint }) => ({
    severity: isNeeded ? severity : 'warning',
    message: `The vault "${name}"${isNeeded ? '' : ', which nothing needs yet'}: ${message}`,
    hint,
  }))
}

async function secretsByVault(vaults: VaultManager): Promise<SecretsByVault> {
  const inUse = new Map<string, number>()
  const lost = new Map<string, number>()
  /** A vault that cannot seal is reported by its preflight or the boot check. */
  const isPresent = await sealedByPresentKey(vaults).catch(() => () => true)
  let former = 0
  for await (const { sealed } of sealedValues()) {
    const names = await vaults.vaultsOf(sealed)
    for (const name of names) inUse.set(name, (inUse.get(name) ?? 0) + 1)
    if (names.length > 0 && !isPresent(sealed)) former++
    if (names.length > 0) continue
    const { message } = new E_VAULT_MISSING(sealed)
    lost.set(message, (lost.get(message) ?? 0) + 1)
  }
  return { inUse, lost, former }
}

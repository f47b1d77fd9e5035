import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import type { ApplicationService } from '@adonisjs/core/types'
import { checkBoot } from '#installation/boot_check'
import { problemOf } from '#plugins/contributions'
import { managersOf } from '#plugins/managers'
import { loadedPlugins } from '#plugins/plugin_loader'
import { sealedValues } from '#installation/sealed_values'
import { E_VAULT_MISSING } from '#vaults/errors'
import { pendingMigrations } from '#installation/pending_migrations'
import { storagePath } from '#start/env'

/** A problem or notice: where it is, and how to fix it. */
export interface ExaminationFinding {
  area: 'database' | 'vault' | 'runtime' | 'plugins' | 'storage' | 'network'
  severity: 'error' | 'warning'
  message: string
  hint: string
}

type Area = ExaminationFinding['area']

type Findings = Omit<ExaminationFinding, 'area'>[]

interface Look {
  area: Area
  look: () => Promise<Findings>
  /** Whether this check reads rows, and so needs a working database. */
  inDatabase?: boolean
}

/**
 * Examines everything Mosaic depends on. An empty list means healthy. Never throws. Stops at a database
 * problem, because without rows the runtime in use is unknown.
 */
export async function examine(app: ApplicationService): Promise<ExaminationFinding[]> {
  const looks: Look[] = [
    { area: 'storage', look: examineStorage },
    { area: 'plugins', look: () => examinePlugins(app) },
    { area: 'database', look: () => examineDatabase(app) },
    { area: 'vault', look: async () => (await app.container.make('vault.manager')).preflight() },
    { area: 'vault', look: () => examineSecrets(app), inDatabase: true },
    { area: 'runtime', look: () => examineRuntime(app), inDatabase: true },
    { area: 'network', look: () => examineProxies(app), inDatabase: true },
  ]
  const findings: ExaminationFinding[] = []
  for (const { area, look, inDatabase } of looks) {
    if (inDatabase && findings.some((finding) => finding.area === 'database')) break
    const found = await look().catch((error: unknown): Findings => [toFinding(error)])
    findings.push(...found.map((finding) => ({ area, ...finding })))
  }
  return findings
}

async function examinePlugins(app: ApplicationService): Promise<Findings> {
  const plugins = loadedPlugins()
  if (plugins.length === 0) return []
  const managers = await managersOf(app)
  return plugins.flatMap((plugin) => {
    const problem = problemOf(managers, plugins, plugin)
    return problem ? [toFinding(problem)] : []
  })
}

async function examineStorage(): Promise<Findings> {
  try {
    await mkdir(storagePath, { recursive: true })
    await access(storagePath, constants.W_OK)
    return []
  } catch {
    return [
      {
        severity: 'error',
        message: `The storage folder cannot be written: ${storagePath}`,
        hint: 'Give the user that runs Mosaic the right to write there, or set STORAGE_PATH.',
      },
    ]
  }
}

async function examineDatabase(app: ApplicationService): Promise<Findings> {
  await checkBoot(await app.container.make('settings'))
  const db = await app.container.make('lucid.db')
  const pending = await pendingMigrations(db, app)
  if (pending.length === 0) return []
  return [
    {
      severity: 'error',
      message: `${pending.length} migrations have not run.`,
      hint: 'Run "node ace migration:run --force".',
    },
  ]
}

/** Finds secrets whose vault is not installed, before they are needed. */
async function examineSecrets(app: ApplicationService): Promise<Findings> {
  const vaults = await app.container.make('vault.manager')
  const foreign = new Map<string, number>()
  for await (const { sealed } of sealedValues()) {
    if (await vaults.knows(sealed)) continue
    const { message } = new E_VAULT_MISSING(sealed)
    foreign.set(message, (foreign.get(message) ?? 0) + 1)
  }
  return [...foreign].map(([message, count]) => ({
    severity: 'error' as const,
    message: `${message} Secrets like it: ${count}.`,
    hint: E_VAULT_MISSING.help,
  }))
}

async function examineRuntime(app: ApplicationService): Promise<Findings> {
  const settings = await app.container.make('settings')
  const runtimes = await app.container.make('runtime.manager')
  return runtimes.preflight(await settings.get('runtime.driver'))
}

/**
 * Finds proxies that are not listed: all clients behind one share its address and appear to use plain http.
 */
async function examineProxies(app: ApplicationService): Promise<Findings> {
  const proxies = await (await app.container.make('settings.unlistedProxies')).list()
  return proxies.map(({ address, headers }) => ({
    severity: 'warning',
    message: `${address} sends ${headers.join(', ')}, and is no trusted proxy: it is not believed.`,
    hint: `If your proxy runs there, add ${address} to "network.trustedProxies" (Administration, Security). If not, leave it: a program there makes its requests look forwarded.`,
  }))
}

function toFinding(error: unknown): Findings[number] {
  const { message, help } = error as { message: string; help?: string }
  if (help) return { severity: 'error', message, hint: help }
  return { severity: 'error', message: 'It cannot be examined.', hint: message }
}

import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import type { ApplicationService } from '@adonisjs/core/types'
import { checkBoot } from '#installation/boot_check'
import { pendingMigrations } from '#installation/pending_migrations'
import { storagePath } from '#start/env'

/** Something that is wrong or worth knowing, where, and how to mend it. */
export interface ExaminationFinding {
  area: 'database' | 'vault' | 'runtime' | 'storage' | 'network'
  severity: 'error' | 'warning'
  message: string
  hint: string
}

type Area = ExaminationFinding['area']
/** Settings say what there is to look at. */
const NEED_DATABASE = new Set<Area>(['runtime', 'network'])

type Findings = Omit<ExaminationFinding, 'area'>[]

/**
 * Looks at everything that Mosaic stands on. An empty list is health. Never throws. Without a database
 * it is not known which runtime is used.
 */
export async function examine(app: ApplicationService): Promise<ExaminationFinding[]> {
  const areas: [Area, () => Promise<Findings>][] = [
    ['storage', examineStorage],
    ['database', () => examineDatabase(app)],
    ['vault', async () => (await app.container.make('vault.manager')).preflight()],
    ['runtime', () => examineRuntime(app)],
    ['network', () => examineProxies(app)],
  ]
  const findings: ExaminationFinding[] = []
  for (const [area, look] of areas) {
    if (NEED_DATABASE.has(area) && findings.some((finding) => finding.area === 'database')) break
    const found = await look().catch((error: unknown): Findings => [toFinding(error)])
    findings.push(...found.map((finding) => ({ area, ...finding })))
  }
  return findings
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

async function examineRuntime(app: ApplicationService): Promise<Findings> {
  const settings = await app.container.make('settings')
  const runtimes = await app.container.make('runtime.manager')
  return runtimes.preflight(await settings.get('runtime.driver'))
}

/** Everybody behind a proxy that is not listed has its address, and seems to come by http. */
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

import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import type { ApplicationService } from '@adonisjs/core/types'
import { checkTables } from '#installation/boot_check'
import { toFinding, type ExaminationFinding, type Findings } from '#console/findings'
import { examineVaults } from '#console/vault_examination'
import SignInService from '#models/sign_in_service'
import { problemOf } from '#plugins/contributions'
import { managersOf } from '#plugins/managers'
import { loadedPlugins } from '#plugins/plugin_loader'
import { checkVersion } from '#installation/migration_state'
import { storagePath } from '#start/env'

interface Look {
  area: ExaminationFinding['area']
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
    { area: 'vault', look: () => examineSecrets(app), inDatabase: true },
    { area: 'plugins', look: () => examineServices(app), inDatabase: true },
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

/** Finds sign-in services that are on and have no plugin: pages leave them out, people cannot sign in. */
async function examineServices({ container }: ApplicationService): Promise<Findings> {
  const registry = await container.make('identity.services.registry')
  const active = await SignInService.query().where('is_active', true).orderBy('name')
  return active.flatMap(({ name }) =>
    registry.find(name)
      ? []
      : {
          severity: 'warning',
          message: `The sign-in service "${name}" is on, but no plugin brings it: nobody can sign in there.`,
          hint: 'Install its plugin again (node ace plugin:add), and restart Mosaic.',
        }
  )
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
  await checkTables(await app.container.make('settings'))
  const db = await app.container.make('lucid.db')
  const { pending } = await checkVersion(db, app)
  if (pending.length === 0) return []
  return [
    {
      severity: 'error',
      message: `${pending.length} migrations have not run.`,
      hint: 'Run "node ace migration:run --force".',
    },
  ]
}

async function examineSecrets({ container }: ApplicationService): Promise<Findings> {
  return examineVaults(await container.make('vault.manager'), await container.make('settings'))
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

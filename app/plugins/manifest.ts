import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PLUGIN_API_VERSION } from '#plugins/api_version'
import { E_NOT_A_PLUGIN, E_PLUGIN_API_VERSION, E_PLUGIN_WITHOUT_PROVIDER } from '#plugins/errors'

const KINDS = ['runtimes', 'adapters', 'vaults', 'services'] as const

export type ContributionKind = (typeof KINDS)[number]

/** A plugin's contributions by kind: names of runtimes, vaults and sign-in services, types of LLM adapters. */
export type Contributions = Record<ContributionKind, string[]>

/** Returns contributions from the names of each kind. */
export function byKind(namesOf: (kind: ContributionKind) => string[]): Contributions {
  const [runtimes, adapters, vaults, services] = KINDS.map(namesOf)
  return { runtimes, adapters, vaults, services }
}

/** A plugin's manifest, from its `package.json`. */
export interface PluginManifest {
  name: string
  version: string
  apiVersion: number
  /** Its declared contributions, or null if it declares none. */
  brings: Contributions | null
  /** Absolute path of the module whose default export is its provider. */
  provider: string
}

/**
 * Returns the declared contributions of the package in a folder, or null. Also reads incompatible plugins,
 * because their data may still be here.
 */
export function declaredContributions(folder: string): Contributions | null {
  try {
    return bringsOf(readPackage(folder, folder).mosaic ?? {})
  } catch {
    return null
  }
}

/** The fields read from `package.json`, unvalidated. */
interface PackageFile {
  name?: unknown
  version?: unknown
  exports?: unknown
  mosaic?: Record<string, unknown>
}

/**
 * Reads the manifest of the package in a folder.
 *
 * @param label name of the package if it declares none
 * @throws E_NOT_A_PLUGIN, E_PLUGIN_API_VERSION, E_PLUGIN_WITHOUT_PROVIDER
 */
export function readManifest(folder: string, label: string): PluginManifest {
  const file = readPackage(folder, label)
  const { mosaic } = file
  const name = typeof file.name === 'string' ? file.name : label
  if (typeof mosaic !== 'object' || mosaic === null || !('apiVersion' in mosaic)) {
    throw new E_NOT_A_PLUGIN(name, 'its package.json has no "mosaic.apiVersion".')
  }
  const { apiVersion } = mosaic
  if (apiVersion !== PLUGIN_API_VERSION) {
    throw new E_PLUGIN_API_VERSION(name, apiVersion, PLUGIN_API_VERSION)
  }
  const declared = providerOf(file)
  const provider = join(folder, declared)
  if (!existsSync(provider)) throw new E_PLUGIN_WITHOUT_PROVIDER(name, declared)
  return { name, version: String(file.version), apiVersion, brings: bringsOf(mosaic), provider }
}

function readPackage(folder: string, label: string): PackageFile {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  } catch (cause) {
    throw new E_NOT_A_PLUGIN(label, 'it has no package.json that can be read.', { cause })
  }
}

/** Returns `mosaic.provider`, else the export `./provider`, else the usual path in AdonisJS packages. */
function providerOf({ mosaic, exports }: PackageFile): string {
  if (typeof mosaic?.provider === 'string') return mosaic.provider
  const exported = (exports as Record<string, unknown> | undefined)?.['./provider']
  if (typeof exported === 'string') return exported
  const { import: imported, default: usual } = (exported ?? {}) as Record<string, unknown>
  const file = imported ?? usual
  return typeof file === 'string' ? file : './dist/provider.js'
}

function bringsOf(mosaic: Record<string, unknown>): Contributions | null {
  if (!KINDS.some((kind) => kind in mosaic)) return null
  return byKind((kind) => {
    const names = mosaic[kind]
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  })
}

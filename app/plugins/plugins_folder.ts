/**
 * The plugins folder: a separate npm project below Mosaic's, so that Mosaic's own `package.json` and lock
 * file stay as released. Its packages resolve AdonisJS from Mosaic's `node_modules`.
 */
import { basename, dirname, join, resolve } from 'node:path'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { E_PLUGIN_NOT_INSTALLED, E_PLUGINS_LIST } from '#plugins/errors'
import {
  declaredContributions,
  readManifest,
  type Contributions,
  type PluginManifest,
} from '#plugins/manifest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')

/** The file in which npm lists the plugins. */
const LIST = 'package.json'

/** A listed plugin, with its manifest or the reason why it cannot be loaded. */
export interface InstalledPlugin {
  name: string
  manifest: PluginManifest | null
  problem: Error | null
  /** Its declared contributions, or null if it declares none. */
  brings: Contributions | null
  /** Whether its provider has booted here, and so registered its contributions. */
  hasBooted?: boolean
}

/**
 * Returns the absolute path of the folder. A build inside its repository uses the repository's folder, which
 * outlives the build. `PLUGINS_PATH` overrides it.
 */
export function pluginsFolder(): string {
  const named = process.env.PLUGINS_PATH
  if (named) return resolve(named)
  const above = dirname(ROOT)
  const isBuild = basename(ROOT) === 'build' && existsSync(join(above, 'adonisrc.ts'))
  return join(isBuild ? above : ROOT, 'plugins')
}

/**
 * Returns the plugins of a folder, ordered by name. Empty if the folder is missing or empty. A list that cannot
 * be read is one entry with a problem: Mosaic starts, and can say what is wrong.
 */
export function installedPlugins(folder = pluginsFolder()): InstalledPlugin[] {
  try {
    return Object.keys(listed(folder))
      .toSorted()
      .map((name) => installed(folder, name))
  } catch (problem) {
    return [{ name: LIST, brings: null, manifest: null, problem: problem as Error }]
  }
}

function installed(folder: string, name: string): InstalledPlugin {
  try {
    const manifest = manifestOf(folder, name)
    return { name, brings: manifest.brings, manifest, problem: null }
  } catch (problem) {
    const brings = declaredContributions(join(folder, 'node_modules', name))
    return { name, brings, manifest: null, problem: problem as Error }
  }
}

/**
 * Packages npm was asked to install, as `file:packages/….tgz`; earlier versions of Mosaic listed some by version.
 *
 * @throws E_PLUGINS_LIST
 */
export function listed(folder: string): Record<string, string> {
  const file = join(folder, LIST)
  if (!existsSync(file)) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')).dependencies ?? {}
  } catch (cause) {
    throw new E_PLUGINS_LIST(file, { cause })
  }
}

function manifestOf(folder: string, name: string): PluginManifest {
  const place = join(folder, 'node_modules', name)
  if (existsSync(place)) return readManifest(place, name)
  throw new E_PLUGIN_NOT_INSTALLED(name, `Run "npm ci" in ${folder}, then restart Mosaic.`)
}

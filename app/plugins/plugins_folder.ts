/**
 * The folder of plugins: an npm project of its own, below Mosaic's, so that Mosaic's own `package.json` and lock
 * file stay as they are released. Its packages find AdonisJS in Mosaic's `node_modules`.
 */
import { basename, dirname, join, resolve } from 'node:path'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { E_PLUGIN_NOT_INSTALLED } from '#plugins/errors'
import {
  declaredContributions,
  readManifest,
  type Contributions,
  type PluginManifest,
} from '#plugins/manifest'

const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')

/** A plugin of the list, with its manifest, or with what keeps it from being loaded. */
export interface InstalledPlugin {
  name: string
  manifest: PluginManifest | null
  problem: Error | null
  /** What it says that it brings, or null if it does not say. */
  brings: Contributions | null
  /** Whether its provider has booted here, and so registered what it brings. */
  hasBooted?: boolean
}

/**
 * Absolute path of the folder. A build that lies in its repository uses that of the repository, which outlives
 * the build. `PLUGINS_PATH` names another.
 */
export function pluginsFolder(): string {
  const named = process.env.PLUGINS_PATH
  if (named) return resolve(named)
  const above = dirname(ROOT)
  const isBuild = basename(ROOT) === 'build' && existsSync(join(above, 'adonisrc.ts'))
  return join(isBuild ? above : ROOT, 'plugins')
}

/** The plugins of a folder, in the order of their names. An absent or empty folder has none. */
export function installedPlugins(folder = pluginsFolder()): InstalledPlugin[] {
  return Object.keys(listed(folder))
    .toSorted()
    .map((name) => {
      try {
        const manifest = manifestOf(folder, name)
        return { name, brings: manifest.brings, manifest, problem: null }
      } catch (problem) {
        const brings = declaredContributions(join(folder, 'node_modules', name))
        return { name, brings, manifest: null, problem: problem as Error }
      }
    })
}

/** What npm was asked to install, by package: a version, or `file:packages/….tgz`. */
export function listed(folder: string): Record<string, string> {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return {}
  return JSON.parse(readFileSync(file, 'utf8')).dependencies ?? {}
}

function manifestOf(folder: string, name: string): PluginManifest {
  const place = join(folder, 'node_modules', name)
  if (existsSync(place)) return readManifest(place, name)
  throw new E_PLUGIN_NOT_INSTALLED(name, `Run "npm ci" in ${folder}, then restart Mosaic.`)
}

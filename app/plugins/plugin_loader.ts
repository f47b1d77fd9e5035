/**
 * Loads installed plugins as providers. A plugin that is incompatible, fails during boot or does not end is left out
 * and recorded here; the rest of Mosaic starts.
 */
import { pathToFileURL } from 'node:url'
import type { ApplicationService } from '@adonisjs/core/types'
import { inTime, pluginDeadlineMs } from '#plugins/deadline'
import { E_NOT_A_PLUGIN, E_PLUGIN_FAILED } from '#plugins/errors'
import type { Contributions, PluginManifest } from '#plugins/manifest'
import { installedPlugins, type InstalledPlugin } from '#plugins/plugins_folder'

/** The methods of a provider, each optional. */
interface Provider {
  register?(): unknown
  boot?(): unknown
  start?(): unknown
  ready?(): unknown
  shutdown?(): unknown
}

type ProviderClass = new (app: ApplicationService) => Provider

let plugins: InstalledPlugin[] = []

/** Returns a provider for each compatible plugin, for `adonisrc.ts`. Reads the folder on each call. */
export function pluginProviders() {
  plugins = installedPlugins()
  return plugins
    .filter((plugin): plugin is InstalledPlugin & { manifest: PluginManifest } =>
      Boolean(plugin.manifest)
    )
    .map((plugin) => () => load(plugin, plugin.manifest))
}

/** Returns the plugins found at boot, with their outcome. */
export function loadedPlugins(): readonly InstalledPlugin[] {
  return plugins
}

/** Explains a missing contribution: one sentence for each plugin that was left out and may provide it. */
export function whyMissing(kind: keyof Contributions, name: string): string[] {
  return plugins.flatMap(({ problem, brings }) =>
    problem && (!brings || brings[kind].includes(name)) ? [problem.message] : []
  )
}

async function load(plugin: InstalledPlugin, { name, provider }: PluginManifest) {
  try {
    const { default: Exported } = await inTime(
      'its import',
      pluginDeadlineMs(),
      () => import(pathToFileURL(provider).href)
    )
    if (typeof Exported !== 'function') {
      throw new E_NOT_A_PLUGIN(name, 'its provider file has no class as its default export.')
    }
    return { default: guarded(plugin, Exported) }
  } catch (error) {
    leaveOut(plugin, error)
    return { default: class {} }
  }
}

/** Wraps a provider to contain its failures: after the first one, none of its methods is called. */
function guarded(plugin: InstalledPlugin, Exported: ProviderClass) {
  return class {
    #provider: Provider | null = null

    constructor(app: ApplicationService) {
      try {
        this.#provider = new Exported(app)
      } catch (error) {
        leaveOut(plugin, error)
      }
    }

    register() {
      return this.#run('register')
    }
    async boot() {
      await this.#run('boot')
      plugin.hasBooted = !plugin.problem
    }
    start() {
      return this.#run('start')
    }
    ready() {
      return this.#run('ready')
    }
    shutdown() {
      return this.#run('shutdown')
    }

    async #run(phase: keyof Provider): Promise<void> {
      try {
        await inTime(`${phase}()`, pluginDeadlineMs(), () => this.#provider?.[phase]?.())
      } catch (error) {
        this.#provider = null
        leaveOut(plugin, error)
      }
    }
  }
}

function leaveOut(plugin: InstalledPlugin, error: unknown): void {
  plugin.problem = error instanceof E_NOT_A_PLUGIN ? error : new E_PLUGIN_FAILED(plugin.name, error)
}

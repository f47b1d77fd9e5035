/**
 * Loads the installed plugins as providers. A plugin that does not fit, or that fails while Mosaic boots, is left
 * out and remembered here; the rest of Mosaic starts.
 */
import { pathToFileURL } from 'node:url'
import type { ApplicationService } from '@adonisjs/core/types'
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

/** For `adonisrc.ts`: a provider for each plugin that fits. Reads the folder each time. */
export function pluginProviders() {
  plugins = installedPlugins()
  return plugins
    .filter((plugin): plugin is InstalledPlugin & { manifest: PluginManifest } =>
      Boolean(plugin.manifest)
    )
    .map((plugin) => () => load(plugin, plugin.manifest))
}

/** The plugins as they were found at boot, with what became of them. */
export function loadedPlugins(): readonly InstalledPlugin[] {
  return plugins
}

/** Why what a plugin brings is not here: the plugins that were left out and may bring it, a sentence each. */
export function whyMissing(kind: keyof Contributions, name: string): string[] {
  return plugins.flatMap(({ problem, brings }) =>
    problem && (!brings || brings[kind].includes(name)) ? [problem.message] : []
  )
}

async function load(plugin: InstalledPlugin, { name, provider }: PluginManifest) {
  try {
    const { default: Exported } = await import(pathToFileURL(provider).href)
    if (typeof Exported !== 'function') {
      throw new E_NOT_A_PLUGIN(name, 'its provider file has no class as its default export.')
    }
    return { default: guarded(plugin, Exported) }
  } catch (error) {
    leaveOut(plugin, error)
    return { default: class {} }
  }
}

/** The same provider, whose failure is its own: from then on none of its methods is called. */
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
        await this.#provider?.[phase]?.()
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

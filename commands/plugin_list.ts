import { OperatorCommand } from '#console/operator_command'
import type { Contributions } from '#plugins/manifest'

export default class PluginList extends OperatorCommand {
  static override commandName = 'plugin:list'
  static override description = 'List the installed plugins, and why one is not loaded'

  /** Needs no database. */
  override async prepare() {}

  override async run() {
    const { contributions, problemOf } = await import('#plugins/contributions')
    const { loadedPlugins } = await import('#plugins/plugin_loader')
    const { managersOf } = await import('#plugins/managers')
    const managers = await managersOf(this.app)
    const brought = contributions(managers, loadedPlugins())
    const plugins = loadedPlugins().map((plugin) => {
      const { name, manifest } = plugin
      const problem = problemOf(managers, loadedPlugins(), plugin)
      return {
        name,
        version: manifest?.version ?? null,
        brings: brought.get(name)!,
        problem: problem && { message: problem.message, hint: (problem as { help?: string }).help },
      }
    })
    if (plugins.some(({ problem }) => problem)) this.exitCode = 1

    const leftOut = new Set(loadedPlugins().flatMap(({ name, problem }) => (problem ? name : [])))
    const lines = plugins.map(({ name, version, brings, problem }) => {
      const fate = leftOut.has(name) ? 'left out.' : 'loaded, but'
      if (problem) return `${name}: ${fate} ${problem.message}\n  ${problem.hint ?? ''}`
      return `${name} ${version}: ${told(brings)}`
    })
    this.report({ plugins }, lines.join('\n') || 'No plugin is installed.')
  }
}

function told(brings: Contributions): string {
  const kinds = Object.entries(brings).filter(([, names]: [string, string[]]) => names.length > 0)
  return kinds.map(([kind, names]) => `${kind} ${names.join(', ')}`).join('; ') || 'brings nothing'
}

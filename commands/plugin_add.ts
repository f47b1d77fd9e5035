import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

export default class PluginAdd extends OperatorCommand {
  static override commandName = 'plugin:add'
  static override description = 'Install a plugin, or another version of it'
  static override help = [
    'A folder is packed as npm would publish it, so build it first. Nothing of Mosaic’s own package.json changes.',
    'The plugin is loaded at the next start of Mosaic.',
  ]

  @args.string({ description: 'A folder, a tarball, or a package name with or without a version' })
  declare source: string

  @flags.boolean({ description: 'Look at the plugin, and change nothing' })
  declare dryRun: boolean

  /** May run before a database exists: an image brings its plugins. */
  override async prepare() {}

  override async run() {
    const { PluginInstaller } = await import('#plugins/plugin_installer')
    const plugin = await new PluginInstaller().add(this.source, { dryRun: this.dryRun })
    const { name, version, apiVersion, brings } = plugin
    const missing = this.dryRun ? null : await this.#record({ name, version })
    const recorded = !this.dryRun && missing === null
    const sentence = this.dryRun
      ? `${name} ${version} fits. Nothing was changed.`
      : `Installed ${name} ${version}. Restart Mosaic to load it.`
    this.report({ name, version, apiVersion, brings, added: !this.dryRun, recorded }, sentence)
    if (missing) this.logger.logError(missing)
  }

  async #record(plugin: { name: string; version: string }): Promise<string | null> {
    const { recordPlugin } = await import('#plugins/plugin_audit')
    return recordPlugin(this.app, 'plugin.added', plugin)
  }
}

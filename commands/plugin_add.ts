import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'
import type { PluginManifest } from '#plugins/manifest'

export default class PluginAdd extends OperatorCommand {
  static override commandName = 'plugin:add'
  static override description = 'Install a plugin, or another version of it'
  static override help = [
    'A folder is packed as npm would publish it, so build it first. Nothing of Mosaic’s own package.json changes.',
    'The plugin is loaded at the next start of Mosaic.',
    'Refuses a version that no longer brings what its former version brought, while something needs it.',
  ]

  @args.string({ description: 'A folder, a tarball, or a package name with or without a version' })
  declare source: string

  @flags.boolean({ description: 'Look at the plugin, and change nothing' })
  declare dryRun: boolean

  /** May run before a database exists: an image brings its plugins. */
  override async prepare() {}

  override async run() {
    const { PluginInstaller } = await import('#plugins/plugin_installer')
    const plugin = await new PluginInstaller().add(this.source, {
      dryRun: this.dryRun,
      approve: (manifest) => this.#checkUses(manifest),
    })
    const { name, version, apiVersion, brings } = plugin
    const missing = this.dryRun ? null : await this.#record({ name, version })
    const recorded = !this.dryRun && missing === null
    const sentence = this.dryRun
      ? `${name} ${version} fits. Nothing was changed.`
      : `Installed ${name} ${version}. Restart Mosaic to load it.`
    this.report({ name, version, apiVersion, brings, added: !this.dryRun, recorded }, sentence)
    if (missing) this.logger.logError(missing)
  }

  /**
   * Looks into the database only if this version lacks what its former one declared. Without tables nothing can
   * need that.
   */
  async #checkUses({ name, brings }: PluginManifest): Promise<void> {
    const { loadedPlugins } = await import('#plugins/plugin_loader')
    const { without } = await import('#plugins/contributions')
    const former = loadedPlugins().find((plugin) => plugin.name === name)?.brings
    if (!former || !brings) return
    const lost = without(former, brings)
    if (Object.values(lost).every((names) => names.length === 0)) return

    const { checkTables } = await import('#installation/boot_check')
    const { hasCode } = await import('#drivers/error_code')
    const { managersOf } = await import('#plugins/managers')
    const { usesOf } = await import('#plugins/plugin_uses')
    const { E_PLUGIN_IN_USE } = await import('#plugins/errors')
    const settings = await this.app.container.make('settings')
    try {
      await checkTables(settings)
    } catch (error) {
      if (hasCode(error, 'E_DATABASE_NOT_MIGRATED')) return
      throw error
    }
    const uses = await usesOf(await managersOf(this.app), settings, lost)
    if (uses.length > 0) throw new E_PLUGIN_IN_USE(name, uses)
  }

  async #record(plugin: { name: string; version: string }): Promise<string | null> {
    const { recordPlugin } = await import('#plugins/plugin_audit')
    return recordPlugin(this.app, 'plugin.added', plugin)
  }
}

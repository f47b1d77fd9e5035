import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

export default class PluginRemove extends OperatorCommand {
  static override commandName = 'plugin:remove'
  static override description = 'Remove a plugin that nothing needs any more'
  static override help = [
    'Refuses while agents have their data in its runtime, providers are of its kind, secrets are sealed by its vault,',
    'or its sign-in service is on.',
    'It looks for these in the database, so it needs one that is migrated.',
  ]

  @args.string({ description: 'The name of its package, as plugin:list shows it' })
  declare name: string

  @flags.boolean({ description: 'Say what needs it, and change nothing' })
  declare dryRun: boolean

  /** Opens no secret, so that a plugin can go while the service of its vault is down. */
  override async prepare() {
    const { checkTables } = await import('#installation/boot_check')
    await checkTables(await this.app.container.make('settings'))
  }

  override async run() {
    const { PluginInstaller } = await import('#plugins/plugin_installer')
    const { contributions } = await import('#plugins/contributions')
    const { managersOf } = await import('#plugins/managers')
    const { loadedPlugins } = await import('#plugins/plugin_loader')
    const { missingContributions, usesOf } = await import('#plugins/plugin_uses')
    const { E_PLUGIN_IN_USE } = await import('#plugins/errors')
    const installer = new PluginInstaller()
    installer.check(this.name)

    const managers = await managersOf(this.app)
    const settings = await this.app.container.make('settings')
    const plugin = loadedPlugins().find(({ name }) => name === this.name)
    const isSilent = plugin?.problem && !plugin.brings
    const brings = isSilent
      ? await missingContributions(managers, this.name)
      : contributions(managers, loadedPlugins()).get(this.name)
    const uses = brings ? await usesOf(managers, settings, brings) : []
    if (uses.length > 0) throw new E_PLUGIN_IN_USE(this.name, uses)
    let missing: string | null = null
    if (!this.dryRun) {
      const { recordPlugin } = await import('#plugins/plugin_audit')
      await installer.remove(this.name)
      missing = await recordPlugin(this.app, 'plugin.removed', { name: this.name })
    }

    const sentence = this.dryRun
      ? `Nothing needs ${this.name}: it can be removed. Nothing was changed.`
      : `Removed ${this.name}. Restart Mosaic to be without it.`
    this.report({ name: this.name, removed: !this.dryRun }, sentence)
    if (missing) this.logger.logError(missing)
  }
}

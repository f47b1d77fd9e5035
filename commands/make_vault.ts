import { MakePluginCommand } from '#console/make_plugin_command'

export default class MakeVault extends MakePluginCommand {
  static override commandName = 'make:vault'
  static override description = 'Make a plugin package with a vault driver that seals secrets'

  override readonly kind = 'vault'
}

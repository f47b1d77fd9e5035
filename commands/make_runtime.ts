import { MakePluginCommand } from '#console/make_plugin_command'

export default class MakeRuntime extends MakePluginCommand {
  static override commandName = 'make:runtime'
  static override description = 'Make a plugin package with a runtime driver that runs agents'

  override readonly kind = 'runtime'
}

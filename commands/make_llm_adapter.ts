import { MakePluginCommand } from '#console/make_plugin_command'

export default class MakeLlmAdapter extends MakePluginCommand {
  static override commandName = 'make:llm-adapter'
  static override description = 'Make a plugin package with an adapter for an LLM service'

  override readonly kind = 'llm-adapter'
}

import type { ApplicationService } from '@adonisjs/core/types'
import { loadedPlugins } from '#plugins/plugin_loader'

/** Reports rejected plugins, once all have had their turn to boot. */
export default class PluginsProvider {
  constructor(protected app: ApplicationService) {}

  async start() {
    const logger = await this.app.container.make('logger')
    for (const { name, problem } of loadedPlugins()) {
      if (!problem) continue
      const hint = (problem as { help?: string }).help
      logger.error({ plugin: name, hint, cause: problem.cause }, `Left out: ${problem.message}`)
    }
  }
}

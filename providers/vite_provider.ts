import FrameworkViteProvider from '@adonisjs/vite/vite_provider'

/**
 * Runs Vite's development server only in development. Tests serve the built pages, as production does:
 * one build in place of a server per run. If nothing is built yet, the framework's default applies.
 */
export default class ViteProvider extends FrameworkViteProvider {
  override async start(): Promise<void> {
    const vite = await this.app.container.make('vite')
    if (this.app.inTest && vite.hasManifestFile) return
    await super.start()
  }
}

import FrameworkViteProvider from '@adonisjs/vite/vite_provider'

/**
 * Vite's development server, for development alone. Tests serve the built pages, as production does: one
 * build instead of a server in each run. Where nothing is built yet, the framework's way holds.
 */
export default class ViteProvider extends FrameworkViteProvider {
  override async start(): Promise<void> {
    const vite = await this.app.container.make('vite')
    if (this.app.inTest && vite.hasManifestFile) return
    await super.start()
  }
}

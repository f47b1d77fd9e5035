import app from '@adonisjs/core/services/app'
import { defineConfig } from '@adonisjs/vite'

/** Absolute, so that the pages are found whatever the working directory. */
const viteConfig = defineConfig({
  buildDirectory: app.publicPath('assets'),
  manifestFile: app.publicPath('assets/.vite/manifest.json'),
  assetsUrl: '/assets',
  scriptAttributes: { defer: true },
})

export default viteConfig

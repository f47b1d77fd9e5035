import { sep } from 'node:path'
import app from '@adonisjs/core/services/app'
import { defineConfig } from '@adonisjs/static'

const ASSETS = app.publicPath('assets') + sep

/** Of files that the build names by their contents. */
export const FOREVER = 'public, max-age=31536000, immutable'

const staticConfig = defineConfig({
  enabled: true,
  etag: true,
  lastModified: true,
  dotFiles: 'ignore',
  /** A browser asks again for every other file each time. */
  headers: (path): Record<string, string> =>
    path.startsWith(ASSETS) ? { 'cache-control': FOREVER } : {},
})

export default staticConfig

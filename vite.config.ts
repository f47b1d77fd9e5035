import { basename } from 'node:path'
import { defineConfig, type Plugin } from 'vite'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import adonisjs from '@adonisjs/vite/client'
import { compressAssets } from './bin/setup/compress_assets.js'

/**
 * Gives each component its own copy of Reka's module of namespaces. Shared, it has every page load the parts
 * of the components that any page shows, long lists and menus above all.
 */
const namespacesApart: Plugin = {
  name: 'namespaces-apart',
  enforce: 'pre',
  async resolveId(source, importer) {
    if (source !== 'reka-ui/namespaced' || !importer) return null
    const resolved = await this.resolve(source, importer, { skipSelf: true })
    return resolved && `${resolved.id}?for=${basename(importer).replace(/\W.*/, '')}`
  },
}

/**
 * What pages share, in two scripts rather than one for each set of pages that shares it: a page loads 20 scripts
 * in place of 50, and fewer bytes, because one large script compresses better than many small ones. Counts are of
 * pages, layouts and other parts that load on their own.
 */
const SHARED_SCRIPTS = [
  /** What nearly every page needs. */
  { name: 'frame', minShareCount: 20 },
  /** Modules of a few kilobytes, for which a request costs more than their bytes do on pages without them. */
  { name: 'small', minShareCount: 8, maxModuleSize: 4000 },
]

export default defineConfig({
  plugins: [
    namespacesApart,
    vue(),
    ui({
      router: 'inertia',
      autoImport: { dts: '.adonisjs/client/auto-imports.d.ts' },
      components: { dts: '.adonisjs/client/components.d.ts' },
      ui: {
        colors: { primary: 'teal', neutral: 'zinc' },
        /** People are named in titles, and some names are longer than a dialog is wide. */
        modal: { slots: { title: 'pe-8 wrap-anywhere', description: 'pe-8 wrap-anywhere' } },
      },
      /** Icons are part of the scripts: a page asks no icon service for one that the scan missed. */
      icon: { clientBundle: { scan: { globInclude: ['inertia/**/*.{vue,ts}'] } } },
    }),
    adonisjs({ entryPoints: ['inertia/app.ts'], reload: ['resources/views/**/*.edge'] }),
    compressAssets(),
  ],

  /** Only the browser's half: a build for the server, which Vite makes by default, would overwrite it. */
  builder: { buildApp: async (builder) => void (await builder.build(builder.environments.client)) },

  build: { rolldownOptions: { output: { codeSplitting: { groups: SHARED_SCRIPTS } } } },

  resolve: {
    alias: {
      '~/': `${import.meta.dirname}/inertia/`,
      '@generated': `${import.meta.dirname}/.adonisjs/client/`,
    },
  },
})

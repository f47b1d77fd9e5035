import { defineConfig } from 'vite'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import adonisjs from '@adonisjs/vite/client'
import { compressAssets } from './bin/setup/compress_assets.js'

export default defineConfig({
  plugins: [
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

  resolve: {
    alias: {
      '~/': `${import.meta.dirname}/inertia/`,
      '@generated': `${import.meta.dirname}/.adonisjs/client/`,
    },
  },
})

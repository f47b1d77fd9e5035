import { defineConfig } from 'vite'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import adonisjs from '@adonisjs/vite/client'

export default defineConfig({
  plugins: [
    vue(),
    ui({
      router: 'inertia',
      autoImport: { dts: '.adonisjs/client/auto-imports.d.ts' },
      components: { dts: '.adonisjs/client/components.d.ts' },
      ui: { colors: { primary: 'teal', neutral: 'zinc' } },
      icon: { clientBundle: { scan: true } },
    }),
    adonisjs({ entryPoints: ['inertia/app.ts'], reload: ['resources/views/**/*.edge'] }),
  ],

  resolve: {
    alias: {
      '~/': `${import.meta.dirname}/inertia/`,
      '@generated': `${import.meta.dirname}/.adonisjs/client/`,
    },
  },
})

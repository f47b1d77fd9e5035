import { indexPages } from '@adonisjs/inertia'
import { indexEntities } from '@adonisjs/core'
import { defineConfig } from '@adonisjs/core/app'
import { pluginProviders } from '#plugins/plugin_loader'

export default defineConfig({
  commands: [
    () => import('@adonisjs/core/commands'),
    () => import('@adonisjs/lucid/commands'),
    () => import('@adonisjs/session/commands'),
    /** Takes the place of Lucid's: of the commands below `commands/`, ace reads none whose name a package has. */
    async () => {
      const { ListLoader } = await import('@adonisjs/core/ace')
      return new ListLoader([(await import('#commands/migration_run')).default])
    },
  ],

  providers: [
    () => import('@adonisjs/core/providers/app_provider'),
    () => import('@adonisjs/core/providers/hash_provider'),
    {
      file: () => import('@adonisjs/core/providers/repl_provider'),
      environment: ['repl', 'test'],
    },
    () => import('@adonisjs/core/providers/vinejs_provider'),
    () => import('@adonisjs/core/providers/edge_provider'),
    () => import('@adonisjs/session/session_provider'),
    () => import('#providers/vite_provider'),
    () => import('@adonisjs/shield/shield_provider'),
    () => import('@adonisjs/static/static_provider'),
    () => import('@adonisjs/lucid/database_provider'),
    () => import('@adonisjs/inertia/inertia_provider'),
    () => import('@adonisjs/auth/auth_provider'),
    () => import('@adonisjs/limiter/limiter_provider'),
    () => import('#providers/database_provider'),
    /** Those of `plugins/`, before what they extend is made. */
    ...pluginProviders(),
    { file: () => import('#providers/plugins_provider'), environment: ['web'] },
    () => import('#providers/api_provider'),
    () => import('#providers/vault_provider'),
    () => import('#providers/settings_provider'),
    () => import('#providers/llm_provider'),
    () => import('#providers/runtime_provider'),
    () => import('#providers/usage_provider'),
    () => import('#providers/knowledge_provider'),
    () => import('#providers/openclaw_provider'),
    () => import('#providers/agents_provider'),
    () => import('#providers/mail_provider'),
    () => import('#providers/identity_provider'),
    () => import('#providers/oidc_provider'),
    () => import('#providers/chat_provider'),
    {
      file: () => import('#providers/internal_server_provider'),
      environment: ['web', 'test'],
    },
    () => import('#providers/shutdown_provider'),
  ],

  preloads: [
    () => import('#start/routes'),
    () => import('#start/kernel'),
    () => import('#start/validator'),
  ],

  tests: {
    suites: [
      { name: 'unit', files: ['tests/unit/**/*.spec.{ts,js}'], timeout: 10_000 },
      { name: 'functional', files: ['tests/functional/**/*.spec.{ts,js}'], timeout: 30_000 },
      { name: 'contracts', files: ['tests/contracts/**/*.spec.{ts,js}'], timeout: 180_000 },
      { name: 'security', files: ['tests/security/**/*.spec.{ts,js}'], timeout: 180_000 },
      { name: 'plugins', files: ['tests/plugins/**/*.spec.{ts,js}'], timeout: 600_000 },
      { name: 'browser', files: ['tests/browser/**/*.spec.{ts,js}'], timeout: 300_000 },
      {
        name: 'screenshots',
        files: ['tests/pictures/**/*.spec.{ts,js}'],
        timeout: 300_000,
      },
      { name: 'e2e', files: ['tests/e2e/**/*.spec.{ts,js}'], timeout: 300_000 },
    ],
    forceExit: false,
  },

  metaFiles: [
    { pattern: 'resources/views/**/*.edge', reloadServer: false },
    { pattern: 'public/**', reloadServer: false },
    { pattern: 'docker/agent/**', reloadServer: false },
    { pattern: 'docs/*.md', reloadServer: false },
    { pattern: 'plugins/{package.json,package-lock.json,.npmrc}', reloadServer: false },
    { pattern: 'plugins/packages/*.tgz', reloadServer: false },
  ],

  hooks: {
    init: [
      indexEntities({ transformers: { enabled: true, withSharedProps: true } }),
      indexPages({ framework: 'vue3' }),
    ],
    buildStarting: [() => import('@adonisjs/vite/build_hook')],
  },
})

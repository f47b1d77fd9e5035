import { assert } from '@japa/assert'
import type { Test } from '@japa/runner/core'
import { DescribedAnswers } from '#tests/described_answers'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { noteResults, writeTally } from '#tests/tally'
import { createHttpServer } from '#start/http_server'
import { apiClient } from '@japa/api-client'
import { browserClient } from '@japa/browser-client'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import type { Config } from '@japa/runner/types'
import { pluginAdonisJS } from '@japa/plugin-adonisjs'
import testUtils from '@adonisjs/core/services/test_utils'
import { sessionApiClient } from '@adonisjs/session/plugins/api_client'
import { launchChromium } from '#tests/browser/chromium'
import { authApiClient } from '@adonisjs/auth/plugins/api_client'
import { shieldApiClient } from '@adonisjs/shield/plugins/api_client'

/** Suites that talk to Mosaic over HTTP. */
const SERVED = ['functional', 'security', 'browser', 'screenshots', 'e2e']

/** Longer than any test: a client that shares this process may use a connection just when it would be closed. */
const KEEP_ALIVE_MS = 600_000

export const plugins: Config['plugins'] = [
  assert(),
  noteResults,
  pluginAdonisJS(app),
  apiClient(`http://${process.env.HOST}:${process.env.PORT}`),
  sessionApiClient(app),
  shieldApiClient(),
  authApiClient(app),
  /** Dialogs open without animation: its frames, which no test checks, took a tenth of the processor time. */
  browserClient({
    runInSuites: ['browser', 'screenshots'],
    launcher: launchChromium,
    contextOptions: { reducedMotion: 'reduce' },
  }),
]

/** Every run has a database of its own: see `bin/test.ts`. */
export const runnerHooks: Required<Pick<Config, 'setup' | 'teardown'>> = {
  setup: [migrate, makeLimits, addMemoryRuntime],
  teardown: [writeTally],
}

/**
 * Makes the tables, and reverts all migrations at the end. Without the lock against other processes, of which a
 * run's database has none: PostgreSQL keeps it by connection, and background work may take that one meanwhile.
 */
async function migrate(): Promise<() => Promise<void>> {
  await runMigrations('migration:run')
  return () => runMigrations('migration:reset')
}

async function runMigrations(name: string): Promise<void> {
  const ace = await app.container.make('ace')
  const flags = ['--compact-output', '--no-schema-generate', '--disable-locks']
  const { exitCode, error } = await ace.exec(name, flags)
  if (exitCode) throw error ?? new Error(`"${name}" failed`)
}

/**
 * Limits keep the connection that they were made with. Made within the transaction of a test they would go
 * on with one that is another's, or closed, by then. SQLite has one connection, which stays.
 */
async function makeLimits(): Promise<void> {
  if (db.connection().dialect.name === 'postgres') await app.container.make('identity.signIn')
}

/** Gateway doubles inside this process, as a plugin adds a runtime. */
async function addMemoryRuntime(): Promise<void> {
  const runtimes = await app.container.make('runtime.manager')
  runtimes.extend('memory', ({ installation }) => new MemoryDriver({}, installation))
}

export const configureSuite: Config['configureSuite'] = (suite) => {
  if (!SERVED.includes(suite.name)) return
  const answers = new DescribedAnswers()
  suite.setup(() =>
    testUtils.httpServer().start((handler) => {
      const server = createHttpServer(handler)
      server.keepAliveTimeout = KEEP_ALIVE_MS
      return answers.watch(server)
    })
  )
  const judge = (test: Test) => test.teardown(() => asDescribed(answers))
  suite.onTest(judge)
  suite.onGroup((group) => group.tap(judge))
}

/** What the API answered in this test must be what it says of itself. */
function asDescribed(answers: DescribedAnswers): void {
  const wrong = answers.take()
  if (wrong.length > 0) throw new Error(`Not as described:\n${wrong.join('\n')}`)
}

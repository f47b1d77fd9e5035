import { assert } from '@japa/assert'
import { apiClient } from '@japa/api-client'
import app from '@adonisjs/core/services/app'
import type { Config } from '@japa/runner/types'
import { pluginAdonisJS } from '@japa/plugin-adonisjs'
import testUtils from '@adonisjs/core/services/test_utils'
import { sessionApiClient } from '@adonisjs/session/plugins/api_client'
import { authApiClient } from '@adonisjs/auth/plugins/api_client'
import { shieldApiClient } from '@adonisjs/shield/plugins/api_client'

/** Suites that talk to Mosaic over HTTP. */
const SERVED = ['functional', 'security', 'browser', 'e2e']

export const plugins: Config['plugins'] = [
  assert(),
  pluginAdonisJS(app),
  apiClient(`http://${process.env.HOST}:${process.env.PORT}`),
  sessionApiClient(app),
  shieldApiClient(),
  authApiClient(app),
]

/** Every run has a database of its own: see `bin/test.ts`. */
export const runnerHooks: Required<Pick<Config, 'setup' | 'teardown'>> = {
  setup: [() => testUtils.db().migrate()],
  teardown: [],
}

export const configureSuite: Config['configureSuite'] = (suite) => {
  if (SERVED.includes(suite.name)) {
    return suite.setup(() => testUtils.httpServer().start())
  }
}

import { defineConfig } from '@adonisjs/session'
import { sessionRows } from '#identity/session_store'

/** Sessions are rows, so that they can be listed and revoked. */
const sessionConfig = defineConfig({
  enabled: true,
  cookieName: 'mosaic_session',
  clearWithBrowser: false,
  age: '7d',
  cookie: { path: '/', httpOnly: true, secure: false, sameSite: 'lax' },
  store: 'database',
  stores: { database: sessionRows() },
})

export default sessionConfig

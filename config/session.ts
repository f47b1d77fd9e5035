import { defineConfig } from '@adonisjs/session'
import { secrets } from '#start/env'
import { sessionRows } from '#identity/session_store'

/** Stores sessions in the database, so that they can be listed and revoked. */
const sessionConfig = defineConfig({
  enabled: true,
  cookieName: 'mosaic_session',
  clearWithBrowser: false,
  age: '7d',
  cookie: { path: '/', httpOnly: true, secure: false, sameSite: 'lax' },
  store: 'database',
  stores: { database: sessionRows(secrets.keys[0].derive('mosaic/csrf')) },
})

export default sessionConfig

import { defineConfig, stores } from '@adonisjs/session'

/** Sessions are rows, so that they can be listed and revoked. */
const sessionConfig = defineConfig({
  enabled: true,
  cookieName: 'mosaic_session',
  clearWithBrowser: false,
  age: '7d',
  cookie: { path: '/', httpOnly: true, secure: false, sameSite: 'lax' },
  store: 'database',
  stores: { database: stores.database() },
})

export default sessionConfig

import { defineConfig } from '@adonisjs/shield'

const shieldConfig = defineConfig({
  /** The policy of the pages, which includes the nonces of the asset tags. */
  csp: {
    /** Vite's development server injects scripts into the page. */
    enabled: process.env.NODE_ENV !== 'development',
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", '@nonce'],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      frameAncestors: ["'none'"],
      baseUri: ["'self'"],
      formAction: ["'self'"],
    },
    reportOnly: false,
  },
  /** Writes within a session require a CSRF token; requests proven by a setup token do not. */
  csrf: {
    enabled: true,
    enableXsrfCookie: true,
    methods: ['POST', 'PUT', 'PATCH', 'DELETE'],
    exceptRoutes: ({ route }) => route?.meta.csrf === false,
  },
  xFrame: { enabled: true, action: 'DENY' },
  hsts: { enabled: false, maxAge: '180 days' },
  contentTypeSniffing: { enabled: true },
})

export default shieldConfig

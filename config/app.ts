import { defineConfig } from '@adonisjs/core/http'
import { trustedProxies } from '#settings/trusted_proxies'

export const http = defineConfig({
  generateRequestId: true,
  allowMethodSpoofing: false,
  useAsyncLocalStorage: false,
  /** The address of the peer counts, but for proxies that the settings list. */
  trustProxy: (address) => trustedProxies.trusts(address),
  cookie: {
    domain: '',
    path: '/',
    maxAge: '30d',
    httpOnly: true,
    secure: false,
    sameSite: 'lax',
  },
})

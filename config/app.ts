import { defineConfig } from '@adonisjs/core/http'
import { answerBadUrl } from '#exceptions/bad_url'
import { trustedProxies } from '#settings/trusted_proxies'

export const http = defineConfig({
  generateRequestId: true,
  allowMethodSpoofing: false,
  useAsyncLocalStorage: false,
  /** Uses the peer's address, except for proxies listed in the settings. */
  trustProxy: (address) => trustedProxies.trusts(address),
  onBadUrl: answerBadUrl,
  cookie: {
    domain: '',
    path: '/',
    maxAge: '30d',
    httpOnly: true,
    secure: false,
    sameSite: 'lax',
  },
})

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { HttpRequest } from '@adonisjs/core/http'
import { DEFINITIONS } from '#settings/definitions'

type Range = ReturnType<typeof ipaddr.parseCIDR>

/**
 * The proxies whose forwarding headers count: the setting `network.trustedProxies` as of the last request. Kept
 * in memory because the framework asks synchronously, for each hop of a request.
 */
export class TrustedProxies {
  #ranges: Range[] = []
  #listed = ''

  constructor(ranges: string[] = DEFINITIONS['network.trustedProxies'].default) {
    this.follow(ranges)
  }

  /** Uses these ranges (CIDR) from now on. */
  follow(ranges: string[]): void {
    const listed = ranges.join()
    if (listed === this.#listed) return
    this.#ranges = ranges.map((range) => ipaddr.parseCIDR(range))
    this.#listed = listed
  }

  /** Returns whether this peer's `X-Forwarded-*` headers are trusted. */
  trusts(address: string): boolean {
    if (!isIP(address)) return false
    const peer = ipaddr.process(address)
    return this.#ranges.some((range) => range[0].kind() === peer.kind() && peer.match(range))
  }
}

export const trustedProxies = new TrustedProxies()

/**
 * Makes the framework re-evaluate trust on every request. It caches its first verdict on a peer, so a proxy
 * added to or removed from the list would keep its status until the next start.
 */
export function declareForwardedMacros(): void {
  HttpRequest.macro('protocol', function (this: HttpRequest) {
    if ('encrypted' in this.request.socket) return 'https'
    return forwarded(this, 'x-forwarded-proto') ?? 'http'
  })
  HttpRequest.macro('host', function (this: HttpRequest) {
    return forwarded(this, 'x-forwarded-host') ?? this.header('host') ?? null
  })
}

function forwarded(request: HttpRequest, header: string): string | undefined {
  if (!trustedProxies.trusts(request.request.socket.remoteAddress ?? '')) return undefined
  return request.header(header)?.split(',')[0].trim()
}

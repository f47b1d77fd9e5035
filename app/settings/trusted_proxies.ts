import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { DEFINITIONS } from '#settings/definitions'

type Range = ReturnType<typeof ipaddr.parseCIDR>

/**
 * Whose word on where a request came from counts: the setting `network.trustedProxies`, as a request last
 * found it. Held here because the framework asks without waiting, for each hop of a request.
 */
export class TrustedProxies {
  #ranges: Range[] = []
  #listed = ''

  constructor(ranges: string[] = DEFINITIONS['network.trustedProxies'].default) {
    this.follow(ranges)
  }

  /** Goes by these ranges (CIDR) from now on. */
  follow(ranges: string[]): void {
    const listed = ranges.join()
    if (listed === this.#listed) return
    this.#ranges = ranges.map((range) => ipaddr.parseCIDR(range))
    this.#listed = listed
  }

  /** Whether what this peer says in `X-Forwarded-*` is believed. */
  trusts(address: string): boolean {
    if (!isIP(address)) return false
    const peer = ipaddr.process(address)
    return this.#ranges.some((range) => range[0].kind() === peer.kind() && peer.match(range))
  }
}

export const trustedProxies = new TrustedProxies()

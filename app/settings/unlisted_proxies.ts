import type { Settings } from '#settings/settings'
import { trustedProxies } from '#settings/trusted_proxies'

/** What proxies tell in front of a request. Only `X-Forwarded-*` of a listed one is believed. */
export const FORWARDING_HEADERS = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
]

/** A peer that forwards requests and is not in `network.trustedProxies`. */
export interface UnlistedProxy {
  address: string
  /** Which of the headers it sent, in small letters. */
  headers: string[]
  /** ISO 8601 UTC. */
  lastSeenAt: string
}

/** Peers that are kept: anybody may send these headers. */
const MAX_KEPT = 5
/** One peer is written down this often at most, and all of them together this often. */
const NOTE_PEER_EVERY_MS = 3_600_000
const NOTE_EVERY_MS = 10_000
/** A peer that has not been seen for a week is gone. */
const KEPT_MS = 7 * 24 * 3_600_000

/**
 * Proxies that Mosaic does not believe because they are not listed. To Mosaic everyone behind one has the
 * same address, so an operator should hear of it. Kept in a setting, for `node ace doctor`.
 */
export class UnlistedProxies {
  #notedAt = new Map<string, number>()
  #lastNotedAt = -Infinity

  constructor(
    protected settings: Settings,
    protected now: () => number = Date.now
  ) {}

  async note(address: string, headers: string[]): Promise<void> {
    const now = this.now()
    if (Math.abs(now - this.#lastNotedAt) < NOTE_EVERY_MS) return
    if (Math.abs(now - (this.#notedAt.get(address) ?? -Infinity)) < NOTE_PEER_EVERY_MS) return
    this.#lastNotedAt = now
    this.#notedAt.set(address, now)
    if (this.#notedAt.size > MAX_KEPT) this.#notedAt.delete([...this.#notedAt.keys()][0])

    const others = (await this.list()).filter((proxy) => proxy.address !== address)
    const seen = { address, headers, lastSeenAt: new Date(now).toISOString() }
    await this.settings.set('network.unlistedProxies', [seen, ...others].slice(0, MAX_KEPT))
  }

  /** Those seen within a week that are still not listed, the latest first. */
  async list(): Promise<UnlistedProxy[]> {
    trustedProxies.follow(await this.settings.get('network.trustedProxies'))
    const noted = await this.settings.get('network.unlistedProxies')
    return noted.filter(
      ({ address, lastSeenAt }) =>
        this.now() - Date.parse(lastSeenAt) < KEPT_MS && !trustedProxies.trusts(address)
    )
  }
}

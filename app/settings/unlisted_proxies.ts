import type { Settings } from '#settings/settings'
import { trustedProxies } from '#settings/trusted_proxies'

/** Headers that proxies add. Only a listed proxy's `X-Forwarded-*` are trusted. */
export const FORWARDING_HEADERS = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
]

/** A peer that forwards requests but is not in `network.trustedProxies`. */
export interface UnlistedProxy {
  address: string
  /** The headers it sent, in lower case. */
  headers: string[]
  /** ISO 8601 UTC. */
  lastSeenAt: string
}

/** Limit of stored peers: anyone may send these headers. */
const MAX_KEPT = 5
/** Minimum interval between writes, per peer and over all peers. */
const NOTE_PEER_EVERY_MS = 3_600_000
const NOTE_EVERY_MS = 10_000
/** A peer is dropped after a week without a sighting. */
const KEPT_MS = 7 * 24 * 3_600_000

/**
 * Proxies that are not listed and so not trusted. Everyone behind one shares an address in Mosaic's eyes, so
 * the operator should know. Stored in a setting, for `node ace doctor`.
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

  /** Lists peers seen within a week that are still not listed, most recent first. */
  async list(): Promise<UnlistedProxy[]> {
    trustedProxies.follow(await this.settings.get('network.trustedProxies'))
    const noted = await this.settings.get('network.unlistedProxies')
    return noted.filter(
      ({ address, lastSeenAt }) =>
        this.now() - Date.parse(lastSeenAt) < KEPT_MS && !trustedProxies.trusts(address)
    )
  }
}

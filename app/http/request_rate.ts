import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { isLoopback } from '#http/connection_caps'

export interface RequestRateLimits {
  /** Requests of one address in a second, on average. */
  perSecond: number
  /** Requests of one address at once, after a pause. */
  burst: number
}

/** What is left of an address's share, and when that was counted, in milliseconds. */
interface Share {
  left: number
  at: number
}

/** Addresses that are remembered; one whose share is whole again need not be. */
const MANY = 4096
/** Looking for those takes time as well: milliseconds between two looks. */
const LOOK_MS = 1000

const REFUSAL = JSON.stringify({
  errors: [
    {
      code: 'E_TOO_MANY_REQUESTS',
      message: 'This agent asks more often than Mosaic answers.',
      hint: 'Wait a second, then ask again.',
    },
  ],
})

/**
 * Limits how often one address may ask. Loopback is exempt: all callers of a machine share it. A caller
 * beyond its share costs only the refusal, and delays nobody else.
 */
export class RequestRate {
  readonly #limits: RequestRateLimits
  readonly #now: () => number
  readonly #shares = new Map<string, Share>()
  #lookedAt = -Infinity

  /** @param now milliseconds that pass, whatever a clock is set to */
  constructor(limits: RequestRateLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
  }

  /** Takes one request of the address's share. False where nothing is left of it. */
  take(address: string): boolean {
    if (isLoopback(address)) return true
    const share = this.#shareOf(address)
    if (share.left < 1) return false
    share.left--
    return true
  }

  #shareOf(address: string): Share {
    const now = this.#now()
    const share = this.#shares.get(address) ?? { left: this.#limits.burst, at: now }
    share.left = this.#leftOf(share, now)
    share.at = now
    if (this.#shares.size >= MANY && now - this.#lookedAt > LOOK_MS) this.#forgetWhole(now)
    this.#shares.set(address, share)
    return share
  }

  #leftOf({ left, at }: Share, now: number): number {
    const { perSecond, burst } = this.#limits
    if (perSecond === Infinity) return burst
    return Math.min(burst, left + ((now - at) / 1000) * perSecond)
  }

  #forgetWhole(now: number): void {
    this.#lookedAt = now
    for (const [address, share] of this.#shares) {
      if (this.#leftOf(share, now) >= this.#limits.burst) this.#shares.delete(address)
    }
  }
}

/** Answers 429 in place of the listener to an address that asks too often, and ends its connection. */
export function limitRequests(listener: RequestListener, limits: RequestRateLimits) {
  const rate = new RequestRate(limits)
  return (request: IncomingMessage, response: ServerResponse) => {
    if (rate.take(request.socket.remoteAddress ?? '')) return listener(request, response)
    const headers = {
      'content-type': 'application/json',
      'retry-after': '1',
      'connection': 'close',
    }
    response.writeHead(429, headers).end(REFUSAL)
  }
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { isLoopback } from '#http/connection_caps'

export interface RequestRateLimits {
  /** Average requests per second of one address. */
  perSecond: number
  /** Burst size of one address after a pause. */
  burst: number
}

/** The remaining requests of an address, and when they were computed, in milliseconds. */
interface Share {
  left: number
  at: number
}

/** Addresses to keep before those at their full burst are dropped. */
const MANY = 4096
/** Minimum milliseconds between two such cleanups, because they take time as well. */
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
 * Limits the request rate per address. Loopback is exempt: all callers on a machine share it. A caller
 * over its limit costs only the refusal, and does not delay others.
 */
export class RequestRate {
  readonly #limits: RequestRateLimits
  readonly #now: () => number
  readonly #shares = new Map<string, Share>()
  #lookedAt = -Infinity

  /** @param now monotonic milliseconds */
  constructor(limits: RequestRateLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
  }

  /** Consumes one request of an address. Returns false if none is left. */
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

/** Answers 429 in place of the listener to an address over its rate, and closes its connection. */
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

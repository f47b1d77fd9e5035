import type { ServerResponse } from 'node:http'
import type { Settings } from '#settings/settings'
import { HeldBodies, type BodyHold, type BodyLimits } from '#identity/held_bodies'
import { E_TOO_MANY_STREAMS } from '#identity/errors'
import { MinuteCounts } from '#identity/minute_counts'

/** How long a changed setting may go unnoticed here, in milliseconds. */
const LIMITS_AGE_MS = 2000

const MEGABYTE = 1024 * 1024

interface Limits {
  /** Per minute, as are changes. */
  requests: number
  changes: number
  streams: number
  bodies: BodyLimits
  uploadMs: number
}

/** Limits on one body while it is read and held. */
export interface BodyAllowance {
  hold: BodyHold
  /** Deadline for the whole body, in milliseconds. */
  deadlineMs: number
}

/**
 * Limits of one user at this replica: requests and changes per minute, open responses, and bytes held. Counted
 * in memory. Settings are read in the background, so no request waits for a query.
 */
export class UserLimits {
  readonly #requests: MinuteCounts
  readonly #changes: MinuteCounts
  readonly #toolCalls: MinuteCounts
  readonly #toolChanges: MinuteCounts
  readonly #open = new Map<string, number>()
  readonly #bodies = new HeldBodies(() => this.#limits!.bodies)
  #limits: Limits | null = null
  #readAt = -Infinity

  constructor(
    protected settings: Pick<Settings, 'get'>,
    /** Monotonic milliseconds, independent of the clock. */
    protected now: () => number = () => performance.now()
  ) {
    this.#requests = new MinuteCounts(now)
    this.#changes = new MinuteCounts(now)
    this.#toolCalls = new MinuteCounts(now)
    this.#toolChanges = new MinuteCounts(now)
  }

  /**
   * Waits for the first settings only, as each promise costs the relay.
   *
   * @throws E_TOO_MANY_REQUESTS until the minute is over
   */
  request(userId: string): void | Promise<void> {
    const limits = this.#fresh()
    if (!limits) return this.#read().then(() => this.request(userId))
    this.#requests.take(userId, limits.requests)
  }

  /** @throws E_TOO_MANY_REQUESTS until the minute is over */
  async change(userId: string): Promise<void> {
    const { changes } = this.#fresh() ?? (await this.#read())
    this.#changes.take(userId, changes)
  }

  /**
   * Counts a call of a tool by the user's agent: as many as requests and changes of the user, who keeps their own.
   *
   * @throws E_TOO_MANY_REQUESTS until the minute is over
   */
  async toolCall(userId: string, { isChange }: { isChange: boolean }): Promise<void> {
    const { requests, changes } = this.#fresh() ?? (await this.#read())
    this.#toolCalls.take(userId, requests)
    if (isChange) this.#toolChanges.take(userId, changes)
  }

  /** Returns the limits of a request's body. Call `request` first: it loads them. The caller must release the hold. */
  body(userId: string): BodyAllowance {
    return { hold: this.#bodies.open(userId), deadlineMs: this.#limits!.uploadMs }
  }

  /** Bytes of bodies held, over all users. */
  get heldBytes(): number {
    return this.#bodies.bytes
  }

  /**
   * Counts an open response until its connection closes. Call `request` first: it loads the limits.
   *
   * @throws E_TOO_MANY_STREAMS
   */
  stream(userId: string, response: ServerResponse): void {
    const open = this.#open.get(userId) ?? 0
    if (open >= this.#limits!.streams) throw new E_TOO_MANY_STREAMS()
    if (response.closed) return
    this.#open.set(userId, open + 1)
    response.once('close', () => this.#close(userId))
  }

  #close(userId: string): void {
    const open = this.#open.get(userId)! - 1
    if (open > 0) this.#open.set(userId, open)
    else this.#open.delete(userId)
  }

  /** Returns the cached limits, however old; refreshes stale ones in the background. */
  #fresh(): Limits | null {
    if (this.#limits && this.now() - this.#readAt > LIMITS_AGE_MS) {
      this.#readAt = this.now()
      /** A brief database outage changes no limit. */
      this.#read().catch(() => {})
    }
    return this.#limits
  }

  async #read(): Promise<Limits> {
    const requests = await this.settings.get('limits.requestsPerMinute')
    const changes = await this.settings.get('limits.changesPerMinute')
    const streams = await this.settings.get('limits.openStreams')
    const bodies = {
      ofOne: (await this.settings.get('limits.bodyMb')) * MEGABYTE,
      ofAll: (await this.settings.get('limits.bodiesMb')) * MEGABYTE,
    }
    const uploadMs = (await this.settings.get('limits.uploadSec')) * 1000
    this.#readAt = this.now()
    return (this.#limits = { requests, changes, streams, bodies, uploadMs })
  }
}

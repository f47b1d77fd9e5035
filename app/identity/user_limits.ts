import type { ServerResponse } from 'node:http'
import type { Limiter } from '@adonisjs/limiter'
import type { LimiterService } from '@adonisjs/limiter/types'
import type { Settings } from '#settings/settings'
import { HeldBodies, type BodyHold, type BodyLimits } from '#identity/held_bodies'
import { E_TOO_MANY_STREAMS } from '#identity/errors'

/** How long a changed setting may go unnoticed here, in milliseconds. */
const LIMITS_AGE_MS = 2000

const MEGABYTE = 1024 * 1024

interface Limits {
  /** Counts requests against the setting. */
  requests: Limiter
  changes: Limiter
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
  readonly #open = new Map<string, number>()
  readonly #bodies = new HeldBodies(() => this.#limits!.bodies)
  #limits: Limits | null = null
  #readAt = -Infinity

  constructor(
    protected limiter: LimiterService,
    protected settings: Pick<Settings, 'get'>,
    /** Monotonic milliseconds, independent of the clock. */
    protected now: () => number = () => performance.now()
  ) {}

  /** @throws E_TOO_MANY_REQUESTS until the minute is over */
  async request(userId: string): Promise<void> {
    const { requests } = this.#fresh() ?? (await this.#read())
    await requests.consume(`api:${userId}`)
  }

  /** @throws E_TOO_MANY_REQUESTS until the minute is over */
  async change(userId: string): Promise<void> {
    const { changes } = this.#fresh() ?? (await this.#read())
    await changes.consume(`change:${userId}`)
  }

  /**
   * Counts a call of a tool by the user's agent: as many as requests and changes of the user, who keeps their own.
   *
   * @throws E_TOO_MANY_REQUESTS until the minute is over
   */
  async toolCall(userId: string, { isChange }: { isChange: boolean }): Promise<void> {
    const { requests, changes } = this.#fresh() ?? (await this.#read())
    await requests.consume(`tool:${userId}`)
    if (isChange) await changes.consume(`tool_change:${userId}`)
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
    const perMinute = await this.settings.get('limits.requestsPerMinute')
    const requests = this.limiter.use('memory', { requests: perMinute, duration: '1 min' })
    const changesPerMinute = await this.settings.get('limits.changesPerMinute')
    const changes = this.limiter.use('memory', { requests: changesPerMinute, duration: '1 min' })
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

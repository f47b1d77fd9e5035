import type { Clock } from '#timing/clock'
import type { AgentsLogger, AgentTimeouts } from '#agents/context'
import { DatabaseRetry } from '#agents/leases/database_retry'
import type { AgentKey, AgentRow } from '#agents/types'

/** Result of `tryHold` when the lease is taken. */
export const HELD = Symbol('held')

/** Renewal interval as a share of the lease: two attempts may fail before it expires. */
const RENEW_SHARE = 0.3
/** Share of the lease during which no other replica can have taken it over, or be about to. */
const CERTAIN_SHARE = 0.5
/** First retry delay for a lease held by another replica; short, because most are held for milliseconds. */
const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 400
/** How often work restarts after another replica took its lease over. */
const MOST_TAKEOVERS = 3

/** Another replica took the lease over: the former holder no longer touches the row or the instance. */
export class LeaseLost extends Error {
  override name = 'LeaseLost'

  constructor(agent: AgentKey) {
    super(`The lease of ${agent} is another replica's by now.`)
  }
}

/** The right to change one agent. */
export interface Lease {
  /** Aborts with `LeaseLost`. */
  readonly signal: AbortSignal
}

/** Where leases are stored, so that all replicas of Mosaic see them. */
export interface LeaseStore {
  /**
   * Takes the lease if it is free or expired. Returns its fencing number, which grows with each holder,
   * or null if the agent has no row.
   */
  take(agent: AgentKey): Promise<number | null | typeof HELD>
  /** Extends the leases. Returns the agents whose lease with that number is lost. */
  renew(held: ReadonlyMap<AgentKey, number>): Promise<AgentKey[]>
  giveBack(agent: AgentKey, fence: number): Promise<void>
  /** Returns agents whose holder this replica considers dead. Call it repeatedly. */
  expired(): Promise<AgentKey[]>
}

interface Holding extends Lease {
  /** Null if the agent has no row: there is nothing to write and nothing to lose. */
  fence: number | null
  controller: AbortController
  /** When the lease was last confirmed, on the monotonic clock. */
  confirmedAt: number
}

export interface LeasesContext {
  clock: Clock
  random: () => number
  logger: Pick<AgentsLogger, 'warn'>
  timeouts: Pick<AgentTimeouts, 'leaseMs'>
}

/**
 * Decides who may change an agent, that is, its instance and its row. There is one holder at a time
 * among all replicas of Mosaic; within a process, callers are served in order. All changes of agents go
 * through it.
 */
export class LeaseManager {
  readonly #store: LeaseStore
  readonly #context: LeasesContext
  readonly #databaseRetry: DatabaseRetry
  /** Agents held in this process, each with its waiting callers. */
  readonly #waiting = new Map<AgentKey, (() => void)[]>()
  readonly #holdings = new Map<AgentKey, Holding>()
  #renewal: (() => void) | null = null

  constructor(store: LeaseStore, context: LeasesContext) {
    this.#store = store
    this.#context = context
    this.#databaseRetry = new DatabaseRetry(context)
  }

  /** Whether a caller in this process holds the lease or is about to. */
  isHeld(agent: AgentKey): boolean {
    return this.#waiting.has(agent)
  }

  /**
   * Waits for the lease and runs the work under it. The signal cancels the wait, not the work. While
   * another replica holds the lease, `watch` is polled; a value it returns ends the wait and becomes
   * the result.
   */
  async hold<T>(
    agent: AgentKey,
    work: (lease: Lease) => Promise<T>,
    signal?: AbortSignal,
    watch: () => Promise<T | undefined> = async () => undefined
  ): Promise<T> {
    await this.#enter(agent, signal)
    try {
      let pollMs = FIRST_POLL_MS
      for (;;) {
        const fence = await this.#databaseRetry.run(() => this.#store.take(agent), signal)
        if (fence !== HELD) {
          return await this.#work(agent, fence, async (lease) => {
            signal?.throwIfAborted()
            return work(lease)
          })
        }
        const seen = await watch()
        if (seen !== undefined) return seen
        await this.#context.clock.wait(pollMs * (0.5 + this.#context.random() / 2), signal)
        pollMs = Math.min(LONGEST_POLL_MS, pollMs * 2)
      }
    } finally {
      this.#leave(agent)
    }
  }

  /**
   * As `hold`, but work that loses its lease restarts from the state that the new holder left, because
   * the agent is not at fault.
   *
   * @throws LeaseLost after the last takeover
   */
  async holdAgain<T>(...[agent, ...rest]: Parameters<typeof this.hold<T>>): Promise<T> {
    for (let takeovers = 0; ; takeovers++) {
      try {
        return await this.hold(agent, ...rest)
      } catch (error) {
        if (!(error instanceof LeaseLost) || takeovers === MOST_TAKEOVERS) throw error
        this.#context.logger.warn({ agent }, 'Another replica of Mosaic took an agent over')
      }
    }
  }

  /** Runs the work under the lease if it is free; otherwise does nothing. */
  async tryHold<T>(agent: AgentKey, work: (lease: Lease) => Promise<T>): Promise<T | typeof HELD> {
    if (this.isHeld(agent)) return HELD
    await this.#enter(agent)
    try {
      const fence = await this.#store.take(agent)
      return fence === HELD ? HELD : await this.#work(agent, fence, work)
    } finally {
      this.#leave(agent)
    }
  }

  /**
   * Frees the leases of replicas that died while changing an agent, and returns their number. A lease
   * counts as abandoned only some time after it was first observed, so call it repeatedly.
   */
  async takeOver(): Promise<number> {
    const abandoned = await this.#store.expired()
    for (const agent of abandoned) await this.tryHold(agent, async () => {})
    return abandoned.length
  }

  /**
   * Checks that the caller still holds the lease under which it read this row. Call it before each
   * action on an instance: a process that was paused may have lost the lease without knowing.
   *
   * @throws LeaseLost
   */
  async confirm(agent: AgentKey, { leaseFence }: Pick<AgentRow, 'leaseFence'>): Promise<void> {
    const holding = this.#holdings.get(agent)
    if (!holding || holding.fence !== Number(leaseFence)) throw new LeaseLost(agent)
    holding.signal.throwIfAborted()
    const { clock, timeouts } = this.#context
    if (clock.elapsed() - holding.confirmedAt < timeouts.leaseMs * CERTAIN_SHARE) return
    await this.#databaseRetry.run(() => this.#renew(new Map([[agent, holding]])))
    holding.signal.throwIfAborted()
  }

  async #work<T>(
    agent: AgentKey,
    fence: number | null,
    work: (lease: Lease) => Promise<T>
  ): Promise<T> {
    const controller = new AbortController()
    const { signal } = controller
    const holding = { fence, controller, signal, confirmedAt: this.#context.clock.elapsed() }
    this.#holdings.set(agent, holding)
    this.#planRenewal()
    try {
      return await work(holding)
    } finally {
      this.#holdings.delete(agent)
      if (fence !== null && !signal.aborted) await this.#giveBack(agent, fence)
      if (this.#holdings.size === 0) this.#cancelRenewal()
    }
  }

  async #giveBack(agent: AgentKey, fence: number): Promise<void> {
    await this.#store.giveBack(agent, fence).catch(() => void this.#giveBackLater(agent, fence))
  }

  /** Not awaited: this process can retake the lease at once, any other after it expires. */
  async #giveBackLater(agent: AgentKey, fence: number): Promise<void> {
    const work = () => this.#store.giveBack(agent, fence)
    await this.#databaseRetry.run(work).catch((error: unknown) => {
      this.#context.logger.warn({ err: error, agent }, 'Could not give a lease back')
    })
  }

  /** One timer renews all leases. It does not keep the process alive; the work under a lease does. */
  #planRenewal(): void {
    const { clock, timeouts } = this.#context
    const inMs = timeouts.leaseMs * RENEW_SHARE
    this.#renewal ??= clock.after(inMs, () => void this.#renewAll(), { background: true })
  }

  #cancelRenewal(): void {
    this.#renewal?.()
    this.#renewal = null
  }

  async #renewAll(): Promise<void> {
    await this.#renew(this.#holdings).catch((error: unknown) => {
      this.#context.logger.warn({ err: error }, 'Could not renew leases')
    })
    this.#renewal = null
    if (this.#holdings.size > 0) this.#planRenewal()
  }

  async #renew(holdings: ReadonlyMap<AgentKey, Holding>): Promise<void> {
    const askedAt = this.#context.clock.elapsed()
    const rows = [...holdings].filter(([, { fence }]) => fence !== null)
    const lost = new Set(await this.#store.renew(new Map(rows.map(([a, h]) => [a, h.fence!]))))
    for (const [agent, holding] of rows) {
      if (lost.has(agent)) holding.controller.abort(new LeaseLost(agent))
      else holding.confirmedAt = askedAt
    }
  }

  /** Waits for its turn in this process. */
  #enter(agent: AgentKey, signal?: AbortSignal): Promise<void> | undefined {
    signal?.throwIfAborted()
    const queue = this.#waiting.get(agent)
    if (!queue) {
      this.#waiting.set(agent, [])
      return undefined
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const enter = () => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      queue.splice(queue.indexOf(enter), 1)
      reject(signal!.reason)
    }
    queue.push(enter)
    signal?.addEventListener('abort', leave, { once: true })
    return promise
  }

  #leave(agent: AgentKey): void {
    const enter = this.#waiting.get(agent)!.shift()
    if (enter) enter()
    else this.#waiting.delete(agent)
  }
}

import type { Clock } from '#timing/clock'
import type { AgentsLogger, AgentTimeouts } from '#agents/context'
import { DatabaseRetry } from '#agents/leases/database_retry'
import type { AgentKey, AgentRow } from '#agents/types'

/** What `tryHold` answers when someone else holds the lease. */
export const HELD = Symbol('held')

/** Of the time of a lease: it is renewed so often that two tries may fail. */
const RENEW_SHARE = 0.3
/** For so much of its time nobody can have taken a lease over, nor is about to. */
const CERTAIN_SHARE = 0.5
/** Retries of a lease that another replica holds begin early: most are held for some milliseconds. */
const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 400
/** How often work begins again because another replica took its lease over. */
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

/** Where leases are kept, so that all replicas of Mosaic see them. */
export interface LeaseStore {
  /**
   * Takes the lease if it is free or expired, and gives its fencing number, which grows with each
   * holder; null where the agent has no row.
   */
  take(agent: AgentKey): Promise<number | null | typeof HELD>
  /** Puts the expiry off. Gives those that are no longer held with that number. */
  renew(held: ReadonlyMap<AgentKey, number>): Promise<AgentKey[]>
  giveBack(agent: AgentKey, fence: number): Promise<void>
  /** Agents whose holder is gone, as far as this replica knows. Call it repeatedly. */
  expired(): Promise<AgentKey[]>
}

interface Holding extends Lease {
  /** Null where the agent has no row: there is nothing to write, and nothing to lose. */
  fence: number | null
  controller: AbortController
  /** When it was certain last, of the monotonic clock. */
  confirmedAt: number
}

export interface LeasesContext {
  clock: Clock
  random: () => number
  logger: Pick<AgentsLogger, 'warn'>
  timeouts: Pick<AgentTimeouts, 'leaseMs'>
}

/**
 * Decides who may change an agent: its instance and its row. One holder at a time among all replicas of
 * Mosaic; within one process, in the order in which they came. Whoever changes agents asks here and
 * nowhere else.
 */
export class LeaseManager {
  readonly #store: LeaseStore
  readonly #context: LeasesContext
  readonly #databaseRetry: DatabaseRetry
  /** The agents that are held in this process, each with those who wait for it. */
  readonly #waiting = new Map<AgentKey, (() => void)[]>()
  readonly #holdings = new Map<AgentKey, Holding>()
  #renewal: (() => void) | null = null

  constructor(store: LeaseStore, context: LeasesContext) {
    this.#store = store
    this.#context = context
    this.#databaseRetry = new DatabaseRetry(context)
  }

  /** Whether someone in this process holds it, or is about to. */
  isHeld(agent: AgentKey): boolean {
    return this.#waiting.has(agent)
  }

  /**
   * Waits for the lease and works under it. The signal ends the waiting, not the work. `watch` is asked
   * again and again while another replica holds it; what it gives ends the waiting, and is the result.
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
   * As `hold`. Work that loses the lease in the middle begins again, with what the new holder has made of
   * the agent: it was cut off by no fault of the agent.
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

  /** Works under the lease if it is free, else does nothing. */
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
   * Frees the leases of replicas that died while they changed an agent, and returns their number. A lease
   * counts as abandoned only some time after the first look, so call it repeatedly.
   */
  async takeOver(): Promise<number> {
    const abandoned = await this.#store.expired()
    for (const agent of abandoned) await this.tryHold(agent, async () => {})
    return abandoned.length
  }

  /**
   * Makes sure that whoever read this row under the lease still holds it. Call it before each act on an
   * instance: a process that was stopped for a while may have lost it without knowing.
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

  /** Nobody need wait for it: this process may take it again at once, any other when it has expired. */
  async #giveBackLater(agent: AgentKey, fence: number): Promise<void> {
    const work = () => this.#store.giveBack(agent, fence)
    await this.#databaseRetry.run(work).catch((error: unknown) => {
      this.#context.logger.warn({ err: error, agent }, 'Could not give a lease back')
    })
  }

  /** One timer for all. It keeps no process alive: who works does. */
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

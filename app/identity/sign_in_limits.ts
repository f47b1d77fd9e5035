import { createHash } from 'node:crypto'
import { errors, LimiterResponse, type Limiter } from '@adonisjs/limiter'
import type { LimiterService } from '@adonisjs/limiter/types'
import { count } from '#identity/limited'
import { SerialLanes } from '#identity/serial_lanes'

/** Wrong passwords per source: a person mistypes a few times, a program thousands of times. */
const BY_SOURCE = { requests: 20, duration: '5 mins' }

/** Wrong passwords per account from one source. */
const BY_ACCOUNT = { requests: 10, duration: '1 min' }

/** Wrong passwords per account from any source: counted, never refused. */
const EVERYWHERE = { requests: 1_000_000, duration: '10 mins' }

/** Failures from any source before attempts are slowed down. */
const FREE_FAILURES = 10
const DELAY_STEP_MS = 250
const OVER_LIMIT_STEP_MS = 500
const MAX_DELAY_MS = 4000

/** An attempt to sign in to an account with a password. */
export interface Attempt {
  /** The account's name, whether or not it exists. */
  name: string
  /** What attempts count against: a network, a known browser, or a session's user. */
  source: string
  /** Whether the source has signed in to this account before. Strangers' failures do not slow it down. */
  isKnown: boolean
}

/**
 * Limits the rate of password attempts. A correct password is never refused because of others' failures,
 * whether from the same address or against the same account. Beyond a limit, passwords are still checked, but
 * slowly and one at a time: at most fifteen a minute per account and per source.
 */
export class SignInLimits {
  readonly #bySource: Limiter
  readonly #byAccount: Limiter
  readonly #everywhere: Limiter
  readonly #lanes = new SerialLanes()

  constructor(
    limiter: LimiterService,
    protected pause: (ms: number) => Promise<unknown>
  ) {
    this.#bySource = limiter.use(BY_SOURCE)
    this.#byAccount = limiter.use(BY_ACCOUNT)
    this.#everywhere = limiter.use(EVERYWHERE)
  }

  /**
   * Runs `check`, which receives whether a limit is reached and returns whether the password is correct. Each
   * attempt counts before it is checked, so simultaneous attempts gain nothing.
   *
   * @throws E_TOO_MANY_REQUESTS for a wrong password beyond a limit, or if too many are queued
   */
  async look(attempt: Attempt, check: (isOver: boolean) => Promise<boolean>): Promise<boolean> {
    const keys = keysOf(attempt)
    const bySource = await count(this.#bySource, keys.source)
    /** Refuse before any row is stored for the name: a source can invent any number of names. */
    if (isOver(bySource) && this.#lanes.isFull(sourceLane(attempt), attempt.name)) {
      throw new errors.E_TOO_MANY_REQUESTS(bySource)
    }
    const byAccount = await count(this.#byAccount, keys.account)
    const everywhere = await count(this.#everywhere, keys.everywhere)
    const over = [bySource, byAccount].filter(isOver)
    const delayMs = Math.max(
      attempt.isKnown ? 0 : delayOf(everywhere.consumed - FREE_FAILURES, DELAY_STEP_MS),
      ...over.map(({ consumed, limit }) => delayOf(consumed - limit, OVER_LIMIT_STEP_MS))
    )
    const isRight = await this.#inTurn(attempt, delayMs, over, () => check(over.length > 0))
    if (isRight) {
      await this.#bySource.decrement(keys.source)
      await this.#byAccount.delete(keys.account)
      await this.#everywhere.delete(keys.everywhere)
    } else if (over.length > 0) {
      throw new errors.E_TOO_MANY_REQUESTS(longest(over))
    }
    return isRight
  }

  /** Queues by account first, then by source. The fixed order prevents a deadlock. */
  async #inTurn(
    attempt: Attempt,
    delayMs: number,
    over: LimiterResponse[],
    check: () => Promise<boolean>
  ): Promise<boolean> {
    const { name, source, isKnown } = attempt
    const slowly = () => this.pause(delayMs).then(check)
    if (delayMs === 0) return slowly()
    const bySource = () => this.#take(sourceLane(attempt), name, slowly, over)
    const lane = isKnown ? `account:${name}:${source}` : `account:${name}`
    return this.#take(lane, source, over.length > 0 ? bySource : slowly, over)
  }

  #take(lane: string, source: string, task: () => Promise<boolean>, over: LimiterResponse[]) {
    const turn = this.#lanes.run(lane, source, task)
    if (turn) return turn
    throw new errors.E_TOO_MANY_REQUESTS(over.length > 0 ? longest(over) : BUSY)
  }
}

/** Sent if a lane is full: it moves on within seconds. */
const BUSY = new LimiterResponse({
  limit: 1,
  remaining: 0,
  consumed: 1,
  availableIn: MAX_DELAY_MS / 1000,
})

const sourceLane = ({ source }: Attempt) => `source:${source}`

const isOver = ({ consumed, limit }: LimiterResponse) => consumed > limit

const longest = (over: LimiterResponse[]) =>
  over.reduce((one, other) => (other.availableIn > one.availableIn ? other : one))

function keysOf({ name, source }: Attempt) {
  const hashed = createHash('sha256').update(name).digest('hex')
  return {
    source: `sign_in:address:${source}`,
    account: `sign_in:account:${hashed}:${source}`,
    everywhere: `sign_in:everywhere:${hashed}`,
  }
}

const delayOf = (steps: number, stepMs: number) =>
  Math.min(MAX_DELAY_MS, Math.max(0, steps) * stepMs)

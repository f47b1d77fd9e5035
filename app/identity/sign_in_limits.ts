import { createHash } from 'node:crypto'
import { errors, LimiterResponse, type Limiter } from '@adonisjs/limiter'
import type { LimiterService } from '@adonisjs/limiter/types'
import { count } from '#identity/limited'
import { SerialLanes } from '#identity/serial_lanes'

/** Wrong passwords of one source: a person mistypes a few times, a program thousands of times. */
const BY_SOURCE = { requests: 20, duration: '5 mins' }

/** Wrong passwords for one account of one source. */
const BY_ACCOUNT = { requests: 10, duration: '1 min' }

/** Wrong passwords for one account from anywhere: never refused for their number. */
const EVERYWHERE = { requests: 1_000_000, duration: '10 mins' }

/** Failures from anywhere that slow nobody down. */
const FREE_FAILURES = 10
const DELAY_STEP_MS = 250
const OVER_LIMIT_STEP_MS = 500
const MAX_DELAY_MS = 4000

/** A password that someone gives for an account. */
export interface Attempt {
  /** Of the account, whether there is one or not. */
  name: string
  /** Whom attempts are counted for: a network, a browser that is known, or a session's user. */
  source: string
  /** Whether that source has signed in to this account before. Strangers' failures do not slow it down. */
  isKnown: boolean
}

/**
 * How fast passwords may be tried. A right one is never refused for the wrong ones of others behind the
 * same address, nor for those that strangers give for the same account: beyond a limit, passwords are
 * still looked at, one after the other and slowly, at most fifteen a minute per account and per source.
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
   * Looks at a password by `check`, which is told whether a limit is reached, and says whether it is right.
   * Each attempt counts before it is looked at, so many at the same instant are no way around.
   *
   * @throws E_TOO_MANY_REQUESTS for a wrong one beyond a limit, and where too many wait already
   */
  async look(attempt: Attempt, check: (isOver: boolean) => Promise<boolean>): Promise<boolean> {
    const keys = keysOf(attempt)
    const bySource = await count(this.#bySource, keys.source)
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

  /** By account first and then by source, always in this order: nobody waits in a circle. */
  async #inTurn(
    { name, source, isKnown }: Attempt,
    delayMs: number,
    over: LimiterResponse[],
    check: () => Promise<boolean>
  ): Promise<boolean> {
    const slowly = () => this.pause(delayMs).then(check)
    if (delayMs === 0) return slowly()
    const bySource = () => this.#take(`source:${source}`, name, slowly, over)
    const lane = isKnown ? `account:${name}:${source}` : `account:${name}`
    return this.#take(lane, source, over.length > 0 ? bySource : slowly, over)
  }

  #take(lane: string, source: string, task: () => Promise<boolean>, over: LimiterResponse[]) {
    const turn = this.#lanes.run(lane, source, task)
    if (turn) return turn
    throw new errors.E_TOO_MANY_REQUESTS(over.length > 0 ? longest(over) : BUSY)
  }
}

/** Told where a lane is full: it moves on within seconds. */
const BUSY = new LimiterResponse({
  limit: 1,
  remaining: 0,
  consumed: 1,
  availableIn: MAX_DELAY_MS / 1000,
})

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

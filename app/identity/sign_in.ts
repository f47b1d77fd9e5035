import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { LimiterService } from '@adonisjs/limiter/types'
import type { Limiter } from '@adonisjs/limiter'
import User from '#models/user'
import BreakglassUser from '#models/breakglass_user'
import type { Audit } from '#audit/audit'
import { consume } from '#identity/limited'
import { networkOf } from '#identity/network_of'
import { verifyPassword } from '#identity/passwords'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import { E_INVALID_CREDENTIALS, E_PASSWORD_SIGN_IN_OFF } from '#identity/errors'

/** Wrong passwords from one address: a person mistypes a few times, a program thousands of times. */
const BY_ADDRESS = { requests: 20, duration: '5 mins' }

/** Wrong passwords for one account from one address: ten a minute guess no twelve characters. */
const BY_ACCOUNT = { requests: 10, duration: '1 min' }

/**
 * Wrong passwords for one account from anywhere. They are never refused for their number, because then
 * a stranger could keep an admin out: from the tenth on each takes longer, a right one too.
 */
const EVERYWHERE = { requests: 1_000_000, duration: '10 mins' }
const FREE_FAILURES = 10
const DELAY_STEP_MS = 250
const MAX_DELAY_MS = 4000

export interface Credentials {
  username: string
  password: string
}

/** A local admin account, or a password that someone invited has chosen. */
export type PasswordMethod = 'breakglass' | 'password'

interface Account {
  user: User
  method: PasswordMethod
  passwordHash: string
}

/** Checks a name and a password. Only failures count against the limits. */
export class SignIn {
  readonly #byAddress: Limiter
  readonly #byAccount: Limiter
  readonly #everywhere: Limiter

  constructor(
    limiter: LimiterService,
    protected enforcement: Pick<OidcEnforcement, 'isInForce'>,
    protected audit: Audit,
    protected pause: (ms: number) => Promise<unknown> = wait
  ) {
    this.#byAddress = limiter.use(BY_ADDRESS)
    this.#byAccount = limiter.use(BY_ACCOUNT)
    this.#everywhere = limiter.use(EVERYWHERE)
  }

  /**
   * The user of a name, a breakglass username or an email address, and a password. An unknown name, a
   * wrong password and a deactivated user are refused alike, after the same work.
   *
   * @throws E_INVALID_CREDENTIALS
   * @throws E_PASSWORD_SIGN_IN_OFF for a right one, where single sign-on is the only way in
   * @throws E_TOO_MANY_REQUESTS after too many failures from this address, until the window has passed
   */
  async withPassword(credentials: Credentials, address: string) {
    const account = await accountNamed(credentials.username)
    await this.#limited(credentials, account, address)
    const { user, method } = account!
    if (method === 'password' && (await this.enforcement.isInForce())) {
      await this.#refused('switched_off', account, address)
      throw new E_PASSWORD_SIGN_IN_OFF()
    }
    return { user, method }
  }

  /**
   * Whether it is still the user who has signed in.
   *
   * @throws E_INVALID_CREDENTIALS, E_TOO_MANY_REQUESTS
   */
  async confirm(user: User, password: string, address: string): Promise<void> {
    const account = await accountOf(user)
    await this.#limited({ username: user.id, password }, account, address)
  }

  async #limited({ username, password }: Credentials, account: Account | null, address: string) {
    const name = createHash('sha256').update(username).digest('hex')
    const network = networkOf(address)
    const addressKey = `sign_in:address:${network}`
    const accountKey = `sign_in:account:${name}:${network}`
    const everywhereKey = `sign_in:everywhere:${name}`
    await consume(this.#byAddress, addressKey)
    await consume(this.#byAccount, accountKey)
    await this.pause(delayOf((await this.#everywhere.get(everywhereKey))?.consumed ?? 0))

    const valid = await verifyPassword(account?.passwordHash ?? null, password)
    if (!valid || !account || account.user.deactivatedAt) {
      await this.#everywhere.increment(everywhereKey)
      await this.#refused(account ? 'password' : 'unknown', account, address)
      throw new E_INVALID_CREDENTIALS()
    }
    await this.#byAddress.decrement(addressKey)
    await this.#byAccount.delete(accountKey)
    await this.#everywhere.delete(everywhereKey)
  }

  #refused(reason: string, account: Account | null, address: string): Promise<void> {
    return this.audit.record({
      action: 'session.refused',
      subject: account ? { type: 'user', id: account.user.id } : undefined,
      details: { method: 'password', reason },
      address,
    })
  }
}

function delayOf(failures: number): number {
  return Math.min(MAX_DELAY_MS, Math.max(0, failures - FREE_FAILURES + 1) * DELAY_STEP_MS)
}

async function accountNamed(name: string): Promise<Account | null> {
  const account = await BreakglassUser.query()
    .where({ username: name, is_active: true })
    .preload('user')
    .first()
  if (account) return asBreakglass(account)
  const user = await User.findBy('email', name)
  return user && withPassword(user)
}

async function accountOf(user: User): Promise<Account | null> {
  const account = await BreakglassUser.query()
    .where({ user_id: user.id, is_active: true })
    .preload('user')
    .first()
  return account ? asBreakglass(account) : withPassword(user)
}

const asBreakglass = ({ user, passwordHash }: BreakglassUser): Account => ({
  user,
  method: 'breakglass',
  passwordHash,
})

const withPassword = (user: User): Account | null =>
  user.passwordHash ? { user, method: 'password', passwordHash: user.passwordHash } : null

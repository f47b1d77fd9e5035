import { setTimeout as wait } from 'node:timers/promises'
import type { LimiterService } from '@adonisjs/limiter/types'
import User from '#models/user'
import BreakglassUser from '#models/breakglass_user'
import type { Audit } from '#audit/audit'
import { networkOf } from '#identity/network_of'
import { SignInLimits, type Attempt } from '#identity/sign_in_limits'
import { verifyPassword } from '#identity/passwords'
import type { OidcEnforcement } from '#identity/oidc/enforcement'
import { E_INVALID_CREDENTIALS, E_PASSWORD_SIGN_IN_OFF } from '#identity/errors'

export interface Credentials {
  username: string
  password: string
}

/** A local admin account, or a password that an invited person chose. */
export type PasswordMethod = 'breakglass' | 'password'

interface Account {
  user: User
  method: PasswordMethod
  passwordHash: string
}

/** Checks usernames and passwords. Only failures count against the limits. */
export class SignIn {
  readonly #limits: SignInLimits

  constructor(
    limiter: LimiterService,
    protected enforcement: Pick<OidcEnforcement, 'isInForce'>,
    protected audit: Audit,
    pause: (ms: number) => Promise<unknown> = wait
  ) {
    this.#limits = new SignInLimits(limiter, pause)
  }

  /**
   * Returns the user for a name (breakglass username or email address) and password. An unknown name, a wrong
   * password and a deactivated user get the same refusal after the same work. `browser` is the ID of a browser
   * that has signed in to this account before: see `known_browsers.ts`.
   *
   * @throws E_INVALID_CREDENTIALS
   * @throws E_PASSWORD_SIGN_IN_OFF for a correct password, if single sign-on is the only way to sign in
   * @throws E_TOO_MANY_REQUESTS for a wrong password after too many, or if too many are queued
   */
  async withPassword(credentials: Credentials, address: string, browser: string | null = null) {
    const source = browser ? `browser:${browser}` : networkOf(address)
    const attempt = { name: credentials.username, source, isKnown: browser !== null }
    const find = () => accountNamed(credentials.username)
    const account = await this.#check(attempt, credentials.password, find, address)
    const { user, method } = account
    if (method === 'password' && (await this.enforcement.isInForce())) {
      await this.#refused('switched_off', account, address)
      throw new E_PASSWORD_SIGN_IN_OFF()
    }
    return { user, method }
  }

  /**
   * Checks that the caller is still the signed-in user. Counted per user, because nobody else can get here.
   *
   * @throws E_INVALID_CREDENTIALS, E_TOO_MANY_REQUESTS
   */
  async confirm(user: User, password: string, address: string): Promise<void> {
    const attempt = { name: user.id, source: `user:${user.id}`, isKnown: true }
    await this.#check(attempt, password, () => accountOf(user), address)
  }

  /**
   * Reads the account once it is this attempt's turn, and again after the password was verified: meanwhile it may
   * have got another password.
   */
  async #check(
    attempt: Attempt,
    password: string,
    find: () => Promise<Account | null>,
    address: string
  ): Promise<Account> {
    let right = null as Account | null
    await this.#limits.look(attempt, async (isOver) => {
      const account = await find()
      const valid = await verifyPassword(account?.passwordHash ?? null, password)
      const present = valid ? await find() : null
      if (present?.passwordHash === account?.passwordHash && !present?.user.deactivatedAt) {
        right = present
      }
      /** The record is kept for good, so nothing beyond the limits is recorded. */
      const isTold = right !== null || isOver
      if (!isTold) await this.#refused(account ? 'password' : 'unknown', account, address)
      return right !== null
    })
    if (!right) throw new E_INVALID_CREDENTIALS()
    return right
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

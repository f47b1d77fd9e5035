import { createHash } from 'node:crypto'
import type { LimiterService } from '@adonisjs/limiter/types'
import type { Limiter } from '@adonisjs/limiter'
import type User from '#models/user'
import BreakglassUser from '#models/breakglass_user'
import { verifyPassword } from '#identity/passwords'
import { E_INVALID_CREDENTIALS } from '#identity/errors'

/** Wrong passwords from one address: a person mistypes a few times, a program thousands of times. */
const BY_ADDRESS = { requests: 20, duration: '5 mins' }

/**
 * Wrong passwords for one account, from anywhere. The window is short, so that nobody can keep an admin
 * out for long, and ten a minute are far too few to guess a password of twelve characters.
 */
const BY_ACCOUNT = { requests: 10, duration: '1 min' }

export interface Credentials {
  username: string
  password: string
}

/** Checks a name and a password. Only failures count against the limits. */
export class SignIn {
  readonly #byAddress: Limiter
  readonly #byAccount: Limiter

  constructor(limiter: LimiterService) {
    this.#byAddress = limiter.use(BY_ADDRESS)
    this.#byAccount = limiter.use(BY_ACCOUNT)
  }

  /**
   * The user of a breakglass account. An unknown name, a wrong password and a deactivated user are
   * refused alike, after the same work.
   *
   * @throws E_INVALID_CREDENTIALS
   * @throws E_TOO_MANY_REQUESTS after too many failures, until the window has passed
   */
  async withPassword({ username, password }: Credentials, address: string): Promise<User> {
    const addressKey = `sign_in:address:${address}`
    const accountKey = `sign_in:account:${createHash('sha256').update(username).digest('hex')}`
    await this.#byAddress.consume(addressKey)
    await this.#byAccount.consume(accountKey)

    const account = await BreakglassUser.query()
      .where('username', username)
      .where('is_active', true)
      .preload('user')
      .first()
    const valid = await verifyPassword(account?.passwordHash ?? null, password)
    if (!valid || !account || account.user.deactivatedAt) throw new E_INVALID_CREDENTIALS()

    await this.#byAddress.decrement(addressKey)
    await this.#byAccount.delete(accountKey)
    return account.user
  }
}

import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { isUniqueViolation } from '#models/unique_violation'
import User from '#models/user'
import BreakglassUser from '#models/breakglass_user'
import { hashPassword } from '#identity/passwords'
import type { Credentials } from '#identity/sign_in'
import type { AccessTokens } from '#identity/access_tokens'
import type { Sessions } from '#identity/sessions'
import type { Audit } from '#audit/audit'
import { E_UNKNOWN_USER, E_USERNAME_TAKEN } from '#identity/errors'

/** Local accounts that always work. Each is a credential of its own admin user. */
export class BreakglassAccounts {
  constructor(
    protected audit: Audit,
    protected sessions: Pick<Sessions, 'endAllOf'>,
    protected tokens: Pick<AccessTokens, 'deleteAllOf'>
  ) {}

  /**
   * Creates an account and the admin it signs in as. `within` runs first, in the same transaction, and can
   * refuse by throwing.
   *
   * @throws E_USERNAME_TAKEN
   */
  async create(
    { username, password }: Credentials,
    within?: (trx: TransactionClientContract) => Promise<void>
  ): Promise<User> {
    const passwordHash = await hashPassword(password)
    const user = await db
      .transaction(async (trx) => {
        await within?.(trx)
        const taken = await BreakglassUser.findBy({ username }, { client: trx })
        if (taken) throw new E_USERNAME_TAKEN()

        const admin = await User.create({ name: username, role: 'admin' }, { client: trx })
        const account = { username, passwordHash, isActive: true, userId: admin.id }
        await BreakglassUser.create(account, { client: trx })
        return admin
      })
      .catch((error: unknown) => {
        /** Another caller has taken the name since it was looked for. */
        throw isUniqueViolation(error) ? new E_USERNAME_TAKEN() : error
      })
    user.$trx = undefined
    await this.audit.record({
      action: 'breakglass.created',
      subject: { type: 'user', id: user.id },
      details: { username },
    })
    return user
  }

  /**
   * Sets a new password, reactivates the account and its user, and ends the user's sessions and access tokens, which a
   * thief of the old password may have made.
   *
   * @throws E_UNKNOWN_USER
   */
  async reset({ username, password }: Credentials): Promise<User> {
    const account = await BreakglassUser.query().where({ username }).preload('user').first()
    if (!account) throw new E_UNKNOWN_USER()

    account.passwordHash = await hashPassword(password)
    account.isActive = true
    await account.save()
    account.user.role = 'admin'
    account.user.deactivatedAt = null
    await account.user.save()
    await this.sessions.endAllOf(account.userId)
    await this.tokens.deleteAllOf(account.user)
    await this.audit.record({
      action: 'breakglass.reset',
      subject: { type: 'user', id: account.userId },
      details: { username },
    })
    return account.user
  }
}

import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import User from '#models/user'
import type { Role } from '#models/types'
import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import type { AccessTokens } from '#identity/access_tokens'
import type { Sessions } from '#identity/sessions'
import { isLastAdmin, lockAdmins } from '#identity/last_admin'
import { E_LAST_ADMIN, E_SELF } from '#identity/errors'

export interface UserChanges {
  name?: string
  role?: Role
}

/** Drains and stops a user's agent. Need not be awaited. */
export type EndAgent = (userId: string) => Promise<unknown>

/** Admin operations on other people's accounts. Nobody can remove themselves or the last admin. */
export class UserAdministration {
  constructor(
    protected sessions: Sessions,
    protected tokens: AccessTokens,
    protected endAgent: EndAgent,
    protected audit: Audit
  ) {}

  /** @throws E_SELF for a change of one's own role, E_LAST_ADMIN */
  async update(id: string, { name, role }: UserChanges, by: Actor): Promise<User> {
    const before: { role?: Role } = {}
    const user = await this.#change(id, async (found, trx) => {
      before.role = found.role
      if (role && role !== found.role) {
        if (found.id === by.user.id) throw new E_SELF()
        if (role !== 'admin' && (await isLastAdmin(found, trx))) throw new E_LAST_ADMIN()
        found.role = role
      }
      if (name) found.name = name
    })
    const changed = user.role !== before.role
    await this.audit.recordOfUser(changed ? 'user.role_changed' : 'user.changed', user, by, {
      ...(changed && { role: user.role }),
    })
    return user
  }

  /**
   * Ends the user's sessions and access tokens at once, and the agent once its current response has ended.
   * Idempotent.
   *
   * @throws E_SELF, E_LAST_ADMIN
   */
  async deactivate(id: string, by: Actor): Promise<User> {
    const user = await this.#change(id, async (found, trx) => {
      if (found.id === by.user.id) throw new E_SELF()
      if (await isLastAdmin(found, trx)) throw new E_LAST_ADMIN()
      found.deactivatedAt ??= DateTime.utc()
    })
    const ended = await this.#endAccess(user)
    void this.endAgent(user.id)
    await this.audit.recordOfUser('user.deactivated', user, by, ended)
    return user
  }

  /** Lets the user sign in again. Their tokens are gone; their agent wakes when they use it. */
  async reactivate(id: string, by: Actor): Promise<User> {
    /** The deactivation may have been killed before it ended all access, or a request may have made a token after it. */
    const deactivated = await User.query().where('id', id).whereNotNull('deactivated_at').first()
    if (deactivated) await this.#endAccess(deactivated)
    const user = await this.#change(id, async (found) => {
      found.deactivatedAt = null
    })
    await this.audit.recordOfUser('user.reactivated', user, by)
    return user
  }

  /** Returns how many sessions and tokens there were. */
  async #endAccess(user: User): Promise<{ sessions: number; tokens: number }> {
    const sessions = await this.sessions.endAllOf(user.id)
    return { sessions, tokens: await this.tokens.deleteAllOf(user) }
  }

  async #change(
    id: string,
    change: (user: User, trx: TransactionClientContract) => Promise<void>
  ): Promise<User> {
    const user = await db.transaction(async (trx) => {
      await lockAdmins(trx)
      const found = await User.query({ client: trx }).where('id', id).forUpdate().firstOrFail()
      await change(found, trx)
      return found.useTransaction(trx).save()
    })
    user.$trx = undefined
    return user
  }
}

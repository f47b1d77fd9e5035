import db from '@adonisjs/lucid/services/db'
import AgentSummary from '#models/agent_summary'
import User from '#models/user'
import type { AgentStatus, Role } from '#models/types'
import { whereContains } from '#models/folded'
import BreakglassUser from '#models/breakglass_user'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'

/** A user as an admin sees them: identity and the agent's state, never their content. */
export interface ListedUser {
  user: User
  /** Whether they can sign in without an identity provider. */
  isLocalAuth: boolean
  agentStatus: AgentStatus
}

/** A user's details beyond the list. */
export interface DescribedUser extends ListedUser {
  sessions: number
  tokens: number
  inviter: User | null
}

export const USER_STATES = ['active', 'invited', 'deactivated'] as const
export type UserState = (typeof USER_STATES)[number]

export interface UserQuery extends PageQuery {
  /** Part of a name or an email address. */
  search?: string
  role?: Role
  state?: UserState
}

/** The installation's users, for its admins. */
export class UserDirectory {
  async list({ page = FIRST_PAGE, limit = PAGE_LIMIT, search, role, state }: UserQuery) {
    const query = User.query().orderBy('created_at').orderBy('id')
    if (search) whereContains(query, ['name', 'email'], search)
    if (role) void query.where({ role })
    if (state === 'deactivated') void query.whereNotNull('deactivated_at')
    else if (state) {
      void query.whereNull('deactivated_at')
      if (state === 'invited') void query.whereNotNull('invitation_token_hash')
      else void query.whereNull('invitation_token_hash')
    }

    const users = await query.paginate(page, limit)
    return { rows: await this.#listed(users.all()), meta: users.getMeta() }
  }

  async find(id: string): Promise<ListedUser> {
    const user = await User.query().where({ id }).firstOrFail()
    return (await this.#listed([user]))[0]
  }

  async describe(id: string): Promise<DescribedUser> {
    const listed = await this.find(id)
    const count = async (table: string, owner: string) => {
      const row = await db.from(table).where(owner, id).count('* as total').first()
      return Number(row.total)
    }
    const { invitedBy } = listed.user
    return {
      ...listed,
      sessions: await count('sessions', 'user_id'),
      tokens: await count('auth_access_tokens', 'tokenable_id'),
      inviter: invitedBy ? await User.find(invitedBy) : null,
    }
  }

  async #listed(users: User[]): Promise<ListedUser[]> {
    const ids = users.map(({ id }) => id)
    const accounts = await BreakglassUser.query().whereIn('user_id', ids).where('is_active', true)
    const local = new Set(accounts.map(({ userId }) => userId))
    const agents = await AgentSummary.query().whereIn('user_id', ids)
    const statuses = new Map(agents.map(({ userId, status }) => [userId, status]))
    return users.map((user) => ({
      user,
      agentStatus: statuses.get(user.id) ?? 'stopped',
      isLocalAuth: user.passwordHash !== null || local.has(user.id),
    }))
  }
}

import User from '#models/user'
import BreakglassUser from '#models/breakglass_user'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'

/** A user as an admin sees one: who they are and how their agent is, never what is theirs. */
export interface ListedUser {
  user: User
  /** Whether they can sign in without an identity provider. */
  isLocalAuth: boolean
}

/** The users of this installation, for its admins. */
export class UserDirectory {
  async list({ page = FIRST_PAGE, limit = PAGE_LIMIT }: PageQuery) {
    const users = await User.query()
      .preload('container')
      .orderBy('created_at')
      .orderBy('id')
      .paginate(page, limit)
    const ids = users.all().map(({ id }) => id)
    const accounts = await BreakglassUser.query().whereIn('user_id', ids).where('is_active', true)
    const local = new Set(accounts.map(({ userId }) => userId))

    const rows = users.all().map((user): ListedUser => {
      return { user, isLocalAuth: user.passwordHash !== null || local.has(user.id) }
    })
    return { rows, meta: users.getMeta() }
  }
}

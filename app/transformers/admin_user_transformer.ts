import { BaseTransformer } from '@adonisjs/core/transformers'
import type { ListedUser } from '#identity/user_directory'

/** A user in the admin's list. */
export default class AdminUserTransformer extends BaseTransformer<ListedUser> {
  toObject() {
    const { user, isLocalAuth, agentStatus } = this.resource
    return {
      id: user.id,
      name: user.name,
      email: user.email ?? null,
      emailVerified: Boolean(user.emailVerifiedAt),
      image: user.image ?? null,
      role: user.role,
      isLocalAuth,
      createdAt: user.createdAt.toUTC().toISO(),
      deactivatedAt: user.deactivatedAt?.toUTC().toISO() ?? null,
      invitedAt: user.invitedAt?.toUTC().toISO() ?? null,
      invitedBy: user.invitedBy ?? null,
      isInvited: user.isInvited,
      agentStatus,
    }
  }
}

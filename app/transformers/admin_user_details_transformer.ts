import { BaseTransformer } from '@adonisjs/core/transformers'
import type { DescribedUser } from '#identity/user_directory'
import AdminUserTransformer from '#transformers/admin_user_transformer'

/** A user for admins: counts of what they own, never the contents. */
export default class AdminUserDetailsTransformer extends BaseTransformer<DescribedUser> {
  toObject() {
    const { user, sessions, tokens, inviter } = this.resource
    const invited = user.isInvited && user.invitationExpiresAt
    return {
      ...new AdminUserTransformer(this.resource).toObject(),
      lastSignInAt: user.lastSignInAt?.toUTC().toISO() ?? null,
      identityProvider: user.oidcIssuer ?? null,
      inviterName: inviter?.name ?? null,
      invitationExpiresAt: invited ? invited.toUTC().toISO() : null,
      sessions,
      tokens,
    }
  }
}

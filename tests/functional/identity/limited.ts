import app from '@adonisjs/core/services/app'
import { UserLimits } from '#identity/user_limits'
import settings from '#settings/services/main'
import { userWithToken } from '#tests/doubles/chat_surface'
import { Visitor } from '#tests/visitor'

/** Limits that nobody has used yet, in an installation that is set up. The returned function puts the former back. */
export async function freshLimits() {
  await settings.set('onboarding.completed', true)
  const present = await app.container.make('identity.limits')
  const limits = new UserLimits(settings)
  app.container.bindValue('identity.limits', limits)
  return () => app.container.bindValue('identity.limits', present)
}

/** A new user who calls with an access token. */
export async function someone() {
  const { user, token } = await userWithToken()
  const headers = { authorization: `Bearer ${token}` }
  return { user, headers, visitor: new Visitor({ headers }) }
}

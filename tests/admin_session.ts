import app from '@adonisjs/core/services/app'
import { UserFactory } from '#database/factories/user_factory'
import type User from '#models/user'
import { Visitor } from '#tests/visitor'

export const ADMIN_ACCOUNT = { username: 'ada', password: 'correct horse battery' }

/** An admin who has just signed in with a browser, so their proof is fresh. */
export async function adminSession(
  changes: Partial<Pick<User, 'name' | 'email'>> = {}
): Promise<{ admin: User; visitor: Visitor }> {
  const accounts = await app.container.make('identity.breakglass')
  const admin = await accounts.create(ADMIN_ACCOUNT)
  await admin.merge(changes).save()
  const visitor = new Visitor()
  const { status, body } = await visitor.post('/api/v1/session', ADMIN_ACCOUNT)
  if (status !== 201) throw new Error(JSON.stringify(body))
  return { admin, visitor }
}

/** An admin who sends an access token with every request. */
export async function adminByToken(): Promise<{ admin: User; visitor: Visitor }> {
  const admin = await UserFactory.apply('admin').create()
  const tokens = await app.container.make('identity.tokens')
  const token = await tokens.create(admin, { name: 'test' })
  const authorization = `Bearer ${token.value!.release()}`
  return { admin, visitor: new Visitor({ headers: { authorization } }) }
}

import User from '#models/user'
import BreakglassUser from '#models/breakglass_user'
import { E_NOT_ADMIN, E_UNKNOWN_USER, E_USER_DEACTIVATED } from '#identity/errors'

/**
 * Finds the user that an operator names by email address, breakglass username or ID.
 *
 * @throws E_UNKNOWN_USER
 */
export async function findUserByName(name: string): Promise<User> {
  const account = await BreakglassUser.query()
    .where('username', name.toLowerCase())
    .preload('user')
    .first()
  if (account) return account.user

  const user = (await User.findBy('email', name.toLowerCase())) ?? (await User.find(name))
  if (!user) throw new E_UNKNOWN_USER()
  return user
}

/**
 * As `findUserByName`, for what a deactivated user cannot have: a token, or an agent that runs.
 *
 * @throws E_UNKNOWN_USER, E_USER_DEACTIVATED
 */
export async function findActiveUserByName(name: string): Promise<User> {
  const user = await findUserByName(name)
  if (user.deactivatedAt) throw new E_USER_DEACTIVATED()
  return user
}

/**
 * As `findActiveUserByName`, for a command that acts as an admin.
 *
 * @throws E_UNKNOWN_USER, E_USER_DEACTIVATED, E_NOT_ADMIN
 */
export async function findAdminByName(name: string): Promise<User> {
  const user = await findActiveUserByName(name)
  if (!user.isAdmin) throw new E_NOT_ADMIN()
  return user
}

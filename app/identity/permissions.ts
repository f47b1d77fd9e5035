import type { Role } from '#models/types'

/**
 * What someone may do here beyond what is their own. Routes name theirs with `.permission(…)`, pages ask
 * the shared prop `can`, and both are answered here.
 */
export const PERMISSIONS = [
  /** Who is here, who may come in, and as what. */
  'manageUsers',
  /** The agents of everyone, by state alone, and those of the installation. */
  'manageAgents',
  /** How this installation works, single sign-on included. */
  'manageSettings',
  /** What was done here by whom. */
  'readAudit',
  /** How the installation does: sums and states. */
  'seeOperation',
] as const
export type Permission = (typeof PERMISSIONS)[number]

const GRANTED: Record<Role, readonly Permission[]> = {
  admin: PERMISSIONS,
  member: [],
}

/** Whoever has a role; nobody has none. */
type Someone = { role: Role } | null | undefined

export function may(user: Someone, permission: Permission): boolean {
  return Boolean(user && GRANTED[user.role].includes(permission))
}

/** All of them with their answers, as pages ask for them. */
export function permissionsOf(user: Someone): Record<Permission, boolean> {
  const answers = PERMISSIONS.map((permission) => [permission, may(user, permission)])
  return Object.fromEntries(answers)
}

import type { Role } from '#models/types'

/**
 * The proof of identity that a permission requires.
 *
 * - `any`: a session, or an access token with the ability that the route requires.
 * - `freshSession`: a session whose user confirmed their identity recently; no access token. Required to create
 *   credentials or raise rights: a leaked token or an unattended browser must not become permanent access.
 */
export type Proof = 'any' | 'freshSession'

interface Grant {
  roles: readonly Role[]
  proof: Proof
}

const ADMIN: readonly Role[] = ['admin']
const EVERYONE: readonly Role[] = ['admin', 'member']

/**
 * Permissions beyond a user's own data: the roles that hold each, and the proof it requires. Routes name theirs
 * with `.permission(…)`, pages read the shared prop `can`; both are answered here.
 */
const GRANTS = {
  /** See the users. */
  seeUsers: { roles: ADMIN, proof: 'any' },
  /** Decide who may sign in, and with which role. */
  manageUsers: { roles: ADMIN, proof: 'freshSession' },
  /** Decide how people sign in, and which role that gives them. */
  manageSignIn: { roles: ADMIN, proof: 'freshSession' },
  /** Create one's own access tokens. */
  makeTokens: { roles: EVERYONE, proof: 'freshSession' },
  /** See everyone's agents by state only, and manage the installation's. */
  manageAgents: { roles: ADMIN, proof: 'any' },
  /** Change settings of the installation. Some require more: see `ChangedBy` in `#settings/setting_kinds`. */
  manageSettings: { roles: ADMIN, proof: 'any' },
  /** Read the audit record. */
  readAudit: { roles: ADMIN, proof: 'any' },
  /** See the installation's operation: totals and states. */
  seeOperation: { roles: ADMIN, proof: 'any' },
} as const satisfies Record<string, Grant>

export type Permission = keyof typeof GRANTS
export const PERMISSIONS = Object.keys(GRANTS) as Permission[]

/** Anyone with a role; anonymous visitors have none. */
type Someone = { role: Role } | null | undefined

export function may(user: Someone, permission: Permission): boolean {
  return Boolean(user && GRANTS[permission].roles.includes(user.role))
}

export function proofFor(permission: Permission): Proof {
  return GRANTS[permission].proof
}

/** Returns all permissions with their answers, for pages. */
export function permissionsOf(user: Someone): Record<Permission, boolean> {
  const answers = PERMISSIONS.map((permission) => [permission, may(user, permission)])
  return Object.fromEntries(answers)
}

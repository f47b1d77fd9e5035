import type { Role } from '#models/types'

/**
 * What proves a caller enough for a permission.
 *
 * - `any`: a session, or an access token with the ability that the route asks for.
 * - `freshSession`: a session whose user proved a short while ago who they are, and no access token. It is
 *   asked for where credentials are made or raised: a leaked token or an open browser must not become a
 *   lasting way in.
 */
export type Proof = 'any' | 'freshSession'

interface Grant {
  roles: readonly Role[]
  proof: Proof
}

const ADMIN: readonly Role[] = ['admin']
const EVERYONE: readonly Role[] = ['admin', 'member']

/**
 * What someone may do here beyond what is their own, who may, and with which proof. Routes name theirs with
 * `.permission(…)`, pages ask the shared prop `can`, and both are answered here.
 */
const GRANTS = {
  /** Looks at who is here. */
  seeUsers: { roles: ADMIN, proof: 'any' },
  /** Decides who may sign in, and with which role. */
  manageUsers: { roles: ADMIN, proof: 'freshSession' },
  /** Decides how people sign in, and which role that gives them. */
  manageSignIn: { roles: ADMIN, proof: 'freshSession' },
  /** Makes access tokens of their own. */
  makeTokens: { roles: EVERYONE, proof: 'freshSession' },
  /** The agents of everyone, by state alone, and those of the installation. */
  manageAgents: { roles: ADMIN, proof: 'any' },
  /** How this installation works. Some settings ask for more: see `ChangedBy` in `#settings/setting_kinds`. */
  manageSettings: { roles: ADMIN, proof: 'any' },
  /** What was done here by whom. */
  readAudit: { roles: ADMIN, proof: 'any' },
  /** How the installation does: sums and states. */
  seeOperation: { roles: ADMIN, proof: 'any' },
} as const satisfies Record<string, Grant>

export type Permission = keyof typeof GRANTS
export const PERMISSIONS = Object.keys(GRANTS) as Permission[]

/** Whoever has a role; nobody has none. */
type Someone = { role: Role } | null | undefined

export function may(user: Someone, permission: Permission): boolean {
  return Boolean(user && GRANTS[permission].roles.includes(user.role))
}

export function proofFor(permission: Permission): Proof {
  return GRANTS[permission].proof
}

/** All of them with their answers, as pages ask for them. */
export function permissionsOf(user: Someone): Record<Permission, boolean> {
  const answers = PERMISSIONS.map((permission) => [permission, may(user, permission)])
  return Object.fromEntries(answers)
}

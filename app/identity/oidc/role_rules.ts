import type { Role } from '#models/types'

/** How the provider's word becomes a role. Without a claim, roles are given in Mosaic. */
export interface RoleRules {
  /** The claim to look at: `groups`, or `realm_access.roles` for one within another. */
  claim: string | null
  /** Any of these values makes an admin. */
  adminValues: string[]
  /** Any of these values makes a member; without one, everybody else is a member. */
  memberValues: string[]
}

/** The role, null for nobody of this installation, and how it came about. */
export interface RoleDecision {
  role: Role | null
  because: 'no_rule' | 'admin_value' | 'member_value' | 'everyone' | 'no_match'
  /** What the claim held. */
  found: string[]
}

/** A role given in Mosaic, to someone who has none yet. */
const WITHOUT_RULES: Role = 'member'

export function decideRole(rules: RoleRules, claims: Record<string, unknown>): RoleDecision {
  if (!rules.claim) return { role: WITHOUT_RULES, because: 'no_rule', found: [] }
  const found = valuesOf(claims, rules.claim)
  const has = (values: string[]) => values.some((value) => found.includes(value))
  if (has(rules.adminValues)) return { role: 'admin', because: 'admin_value', found }
  if (rules.memberValues.length === 0) return { role: 'member', because: 'everyone', found }
  if (has(rules.memberValues)) return { role: 'member', because: 'member_value', found }
  return { role: null, because: 'no_match', found }
}

/** Claims may have dots in their names (they are often addresses), so the whole name comes first. */
function valuesOf(claims: Record<string, unknown>, path: string): string[] {
  if (Object.hasOwn(claims, path)) return asTexts(claims[path])
  let value: unknown = claims
  for (const name of path.split('.')) {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    if (!isObject) return []
    value = (value as Record<string, unknown>)[name]
  }
  return asTexts(value)
}

function asTexts(value: unknown): string[] {
  return [value ?? []]
    .flat()
    .filter((one) => ['string', 'number', 'boolean'].includes(typeof one))
    .map(String)
}

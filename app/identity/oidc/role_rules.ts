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

/** Why a claim says nothing: it is not there, or it held too much to be sent (an overage). */
export type NotTold = 'missing' | 'overage'

/** The role, null for nobody of this installation, and how it came about. */
export interface RoleDecision {
  role: Role | null
  because: 'no_rule' | 'admin_value' | 'member_value' | 'everyone' | 'no_match'
  /** The values of the claim. */
  found: string[]
  /** Set where the provider did not send the claim. The role then holds for new people alone. */
  notTold?: NotTold
}

/** A role given in Mosaic, to someone who has none yet. */
const WITHOUT_RULES: Role = 'member'

/** Nested arrays are read this deep. */
const MAX_NESTING = 3

export function decideRole(rules: RoleRules, claims: Record<string, unknown>): RoleDecision {
  if (!rules.claim) return { role: WITHOUT_RULES, because: 'no_rule', found: [] }
  const value = valueAt(claims, rules.claim)
  if (value === undefined || value === null) {
    return { ...match(rules, []), notTold: whyNotTold(claims, rules.claim) }
  }
  return match(rules, asTexts(value))
}

function match({ adminValues, memberValues }: RoleRules, found: string[]): RoleDecision {
  const has = (values: string[]) => values.some((value) => found.includes(value))
  if (has(adminValues)) return { role: 'admin', because: 'admin_value', found }
  if (memberValues.length === 0) return { role: 'member', because: 'everyone', found }
  if (has(memberValues)) return { role: 'member', because: 'member_value', found }
  return { role: null, because: 'no_match', found }
}

/**
 * The value at a path such as `resource_access.my.client.roles`. Names of claims and client IDs have dots
 * of their own, so each part of the path may be one name: the longest comes first.
 */
function valueAt(object: unknown, path: string): unknown {
  if (!isRecord(object)) return undefined
  if (Object.hasOwn(object, path)) return object[path]
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot)
    if (!Object.hasOwn(object, name)) continue
    const found = valueAt(object[name], path.slice(dot + 1))
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Entra names groups that are too many for a token in `_claim_names` (OpenID Connect Core 5.6.2), or says
 * `hasgroups`; the list itself is to be fetched elsewhere.
 */
function whyNotTold(claims: Record<string, unknown>, claim: string): NotTold {
  const elsewhere = claims._claim_names
  const named = isRecord(elsewhere) && valueAt(elsewhere, claim) !== undefined
  const has = claim === 'groups' && asTexts(claims.hasgroups).includes('true')
  return named || has ? 'overage' : 'missing'
}

/** One value, a list of them, or an object that has them as its names, as Zitadel sends roles. */
function asTexts(value: unknown): string[] {
  if (isRecord(value)) return Object.keys(value).filter((name) => Boolean(value[name]))
  return [value]
    .flat(MAX_NESTING)
    .filter((one) => ['string', 'number', 'boolean'].includes(typeof one))
    .map(String)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

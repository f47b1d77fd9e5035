import type { Role } from '#models/types'

/** Rules that map the provider's claims to a role. Without a claim, admins assign roles in Mosaic. */
export interface RoleRules {
  /** The claim to read: `groups`, or a path such as `realm_access.roles`. */
  claim: string | null
  /** Values that make an admin. */
  adminValues: string[]
  /** Values that make a member; if empty, everyone else is a member. */
  memberValues: string[]
}

/** Why a claim gives no answer: it is missing, or too large to be sent (an overage). */
export type NotTold = 'missing' | 'overage'

/** The role, null for someone without access, and how it was decided. */
export interface RoleDecision {
  role: Role | null
  because: 'no_rule' | 'admin_value' | 'member_value' | 'everyone' | 'no_match'
  /** Values found in the claim. */
  found: string[]
  /** Set if the provider did not send the claim. The role then applies to new people only. */
  notTold?: NotTold
}

/** The role of a new person when admins assign roles in Mosaic. */
const WITHOUT_RULES: Role = 'member'

/** Nested arrays are read to this depth. */
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
 * Returns the value at a path such as `resource_access.my.client.roles`. Claim names and client IDs may contain
 * dots, so the longest matching name wins at each step.
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
 * If there are too many groups for a token, Entra lists the claim in `_claim_names` (OpenID Connect Core 5.6.2)
 * or sets `hasgroups`; the list itself must be fetched elsewhere.
 */
function whyNotTold(claims: Record<string, unknown>, claim: string): NotTold {
  const elsewhere = claims._claim_names
  const named = isRecord(elsewhere) && valueAt(elsewhere, claim) !== undefined
  const has = claim === 'groups' && asTexts(claims.hasgroups).includes('true')
  return named || has ? 'overage' : 'missing'
}

/** Reads one value, a list, or an object whose keys are the values, as Zitadel sends roles. */
function asTexts(value: unknown): string[] {
  if (isRecord(value)) return Object.keys(value).filter((name) => Boolean(value[name]))
  return [value]
    .flat(MAX_NESTING)
    .filter((one) => ['string', 'number', 'boolean'].includes(typeof one))
    .map(String)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

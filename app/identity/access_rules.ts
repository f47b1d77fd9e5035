/**
 * Declares who may call a route, with `.access(rule)` on the route; a test lists routes without a rule.
 * `app/middleware/access_middleware.ts` enforces the rules for people. `token` and `agent` are enforced by the
 * single cheap middleware of their own stacks.
 */
import { Route, RouteGroup, RouteResource } from '@adonisjs/core/http'
import type { Constructor } from '@adonisjs/core/types/common'
import type { Permission } from '#identity/permissions'
import type { TokenAbility } from '#identity/access_tokens'

export const ACCESS_RULES = [
  /** No sign-in needed. */
  'anyone',
  /** Open to anyone until onboarding is completed, then 404. */
  'onboarding',
  /** The onboarding steps after the first: until completed, for the admin who claimed the installation. */
  'onboardingAdmin',
  /** A session, or an access token as Bearer. */
  'signedIn',
  /** Like `signedIn`, plus the permission that the route names. */
  'permitted',
  /** Only an access token: the lean relay stack. */
  'token',
  /** An agent's own gateway token, on the internal listener. */
  'agent',
] as const
export type AccessRule = (typeof ACCESS_RULES)[number]

export const isOnboarding = (rule: AccessRule) =>
  rule === 'onboarding' || rule === 'onboardingAdmin'

/** Security facts of a route, kept in its `meta`. */
export interface RouteSecurity {
  access?: AccessRule
  /** The permission that a caller needs under `permitted` or `onboardingAdmin`. */
  permission?: Permission
  /** The ability that an access token needs. Default: `read` for safe methods, `manage` for the rest. */
  ability?: TokenAbility
  /**
   * Whether a session needs a fresh proof here, while an access token passes. Routes that create credentials
   * name a permission instead: see `proofFor`.
   */
  confirmed?: boolean
  /** False if the request proves itself by something other than the session cookie. */
  csrf?: boolean
}

declare module '@adonisjs/core/http' {
  interface Route<Controller extends Constructor<any> = any> {
    /** Sets who may call the route. */
    access(rule: AccessRule): this
    /** Sets the permission that a caller needs. */
    permission(permission: Permission): this
    /**
     * Sets the ability that an access token needs, if the method's default (`read` or `manage`) does not fit.
     */
    ability(ability: TokenAbility): this
    /** Marks a sensitive action: the session must have been confirmed recently. */
    confirmed(): this
    /** Exempts the route from the CSRF check, because its body carries its own proof. */
    withoutCsrf(): this
    /** Held until the route is stored. */
    security?: RouteSecurity
  }
  interface RouteGroup {
    /** Sets who may call the group's routes, except those with their own rule. */
    access(rule: AccessRule): this
    /** Sets the ability that an access token needs for the group's routes. */
    ability(ability: TokenAbility): this
    /** Sets the permission that a caller of the group's routes needs. */
    permission(permission: Permission): this
  }
  interface RouteResource {
    /** Sets who may call the resource's routes, except those with their own rule. */
    access(rule: AccessRule): this
  }
}

type Member = RouteGroup['routes'][number]

/** A route's own value takes precedence over its group's. */
function give(member: Member, security: RouteSecurity): void {
  if (member instanceof Route) member.security = { ...security, ...member.security }
  else if ('routes' in member) member.routes.forEach((inner) => give(inner, security))
  else if (member.route) give(member.route, security)
}

/** Returns the ability that an access token needs to call the route. */
export function abilityFor(security: RouteSecurity, method: string): TokenAbility {
  return security.ability ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'manage')
}

/** Adds the macros. Call it once, before importing any route file. */
export function declareAccessMacros(): void {
  Route.macro('access', function (this: Route, rule: AccessRule) {
    this.security = { ...this.security, access: rule }
    return this
  })
  Route.macro('permission', function (this: Route, permission: Permission) {
    this.security = { access: 'permitted', ...this.security, permission }
    return this
  })
  RouteGroup.macro('permission', function (this: RouteGroup, permission: Permission) {
    give(this, { access: 'permitted', permission })
    return this
  })
  Route.macro('ability', function (this: Route, ability: TokenAbility) {
    this.security = { ...this.security, ability }
    return this
  })
  Route.macro('confirmed', function (this: Route) {
    this.security = { ...this.security, confirmed: true }
    return this
  })
  RouteGroup.macro('ability', function (this: RouteGroup, ability: TokenAbility) {
    give(this, { ability })
    return this
  })
  Route.macro('withoutCsrf', function (this: Route) {
    this.security = { ...this.security, csrf: false }
    return this
  })
  RouteGroup.macro('access', function (this: RouteGroup, rule: AccessRule) {
    give(this, { access: rule })
    return this
  })
  RouteResource.macro('access', function (this: RouteResource, rule: AccessRule) {
    give(this, { access: rule })
    return this
  })

  /** The router reads a route's `meta` from `toJSON`; there is no other hook. */
  const toJSON = Route.prototype.toJSON
  Route.prototype.toJSON = function (this: Route) {
    const json = toJSON.call(this)
    return { ...json, meta: { ...json.meta, ...this.security } }
  }
}

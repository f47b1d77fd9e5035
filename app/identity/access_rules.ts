/**
 * Who may call a route: every route declares it with `.access(rule)`, and a test lists the routes that
 * do not. `app/middleware/access_middleware.ts` enforces the rules of people; `token` and `agent` are
 * enforced by the one cheap middleware of their own stacks.
 */
import { Route, RouteGroup, RouteResource } from '@adonisjs/core/http'
import type { Constructor } from '@adonisjs/core/types/common'
import type { Permission } from '#identity/permissions'
import type { TokenAbility } from '#identity/access_tokens'

export const ACCESS_RULES = [
  /** No sign-in needed. */
  'anyone',
  /** Open to anyone until the onboarding is completed, then 404. */
  'onboarding',
  /** The steps after the first: until completed, for the admin who claimed the installation. */
  'onboardingAdmin',
  /** A session, or an access token as Bearer. */
  'signedIn',
  /** As `signedIn`, with the permission that the route names. */
  'permitted',
  /** An access token and nothing else: the lean relay stack. */
  'token',
  /** An agent's own gateway token, on the internal listener. */
  'agent',
] as const
export type AccessRule = (typeof ACCESS_RULES)[number]

/** What a route says of itself in its `meta`. */
export interface RouteSecurity {
  access?: AccessRule
  /** What its caller must be permitted, where the rule is `permitted` or `onboardingAdmin`. */
  permission?: Permission
  /** What an access token must be made for; left out: `read` for looking, `manage` for the rest. */
  ability?: TokenAbility
  /**
   * Whether a session must hold a fresh proof here, while an access token passes. What makes credentials
   * names a permission in place of this: see `proofFor`.
   */
  confirmed?: boolean
  /** False where the request proves itself by other means than the session's cookie. */
  csrf?: boolean
}

declare module '@adonisjs/core/http' {
  interface Route<Controller extends Constructor<any> = any> {
    /** Says who may call the route. */
    access(rule: AccessRule): this
    /** Says what its caller must be permitted. */
    permission(permission: Permission): this
    /** Says what an access token must be made for, where it is not `read` or `manage` by the method. */
    ability(ability: TokenAbility): this
    /** A sensitive act: a session must have been confirmed a short while ago. */
    confirmed(): this
    /** Takes the route out of the CSRF check, because its body carries a proof of its own. */
    withoutCsrf(): this
    /** Kept until the route is stored. */
    security?: RouteSecurity
  }
  interface RouteGroup {
    /** Says who may call the group's routes, but for those that say it themselves. */
    access(rule: AccessRule): this
    /** Says what an access token must be made for, for the group's routes. */
    ability(ability: TokenAbility): this
    /** Says what the callers of the group's routes must be permitted. */
    permission(permission: Permission): this
  }
  interface RouteResource {
    /** Says who may call the resource's routes, but for those that say it themselves. */
    access(rule: AccessRule): this
  }
}

type Member = RouteGroup['routes'][number]

/** The route's own word goes before its group's. */
function give(member: Member, security: RouteSecurity): void {
  if (member instanceof Route) member.security = { ...security, ...member.security }
  else if ('routes' in member) member.routes.forEach((inner) => give(inner, security))
  else if (member.route) give(member.route, security)
}

/** What an access token must be made for to call the route. */
export function abilityFor(security: RouteSecurity, method: string): TokenAbility {
  return security.ability ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'manage')
}

/** Adds the macros. Call it once, before any route file is imported. */
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

  /** The router takes a route's `meta` from here, and offers no other way into it. */
  const toJSON = Route.prototype.toJSON
  Route.prototype.toJSON = function (this: Route) {
    const json = toJSON.call(this)
    return { ...json, meta: { ...json.meta, ...this.security } }
  }
}

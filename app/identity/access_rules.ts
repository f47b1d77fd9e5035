/**
 * Who may call a route: every route declares it with `.access(rule)`, and a test lists the routes that
 * do not. `app/middleware/access_middleware.ts` enforces the rules of people; `token` and `agent` are
 * enforced by the one cheap middleware of their own stacks.
 */
import { Route, RouteGroup, RouteResource } from '@adonisjs/core/http'
import type { Constructor } from '@adonisjs/core/types/common'

export const ACCESS_RULES = [
  /** No sign-in needed. */
  'anyone',
  /** Open to anyone until the onboarding is completed, then 404. */
  'onboarding',
  /** The steps after the first: until completed, for the admin who claimed the installation. */
  'onboardingAdmin',
  /** A session, or an access token as Bearer. */
  'signedIn',
  /** As `signedIn`, with the role of an admin. */
  'admin',
  /** An access token and nothing else: the lean relay stack. */
  'token',
  /** An agent's own gateway token, on the internal listener. */
  'agent',
] as const
export type AccessRule = (typeof ACCESS_RULES)[number]

/** What a route says of itself in its `meta`. */
export interface RouteSecurity {
  access?: AccessRule
  /** False where the request proves itself by other means than the session's cookie. */
  csrf?: boolean
}

declare module '@adonisjs/core/http' {
  interface Route<Controller extends Constructor<any> = any> {
    /** Says who may call the route. */
    access(rule: AccessRule): this
    /** Takes the route out of the CSRF check, because its body carries a proof of its own. */
    withoutCsrf(): this
    /** Kept until the route is stored. */
    security?: RouteSecurity
  }
  interface RouteGroup {
    /** Says who may call the group's routes, but for those that say it themselves. */
    access(rule: AccessRule): this
  }
  interface RouteResource {
    /** Says who may call the resource's routes, but for those that say it themselves. */
    access(rule: AccessRule): this
  }
}

type Member = RouteGroup['routes'][number]

function giveRule(member: Member, rule: AccessRule): void {
  if (member instanceof Route) member.security = { access: rule, ...member.security }
  else if ('routes' in member) member.routes.forEach((inner) => giveRule(inner, rule))
  else if (member.route) giveRule(member.route, rule)
}

/** Adds the macros. Call it once, before any route file is imported. */
export function declareAccessMacros(): void {
  Route.macro('access', function (this: Route, rule: AccessRule) {
    this.security = { ...this.security, access: rule }
    return this
  })
  Route.macro('withoutCsrf', function (this: Route) {
    this.security = { ...this.security, csrf: false }
    return this
  })
  RouteGroup.macro('access', function (this: RouteGroup, rule: AccessRule) {
    giveRule(this, rule)
    return this
  })
  RouteResource.macro('access', function (this: RouteResource, rule: AccessRule) {
    giveRule(this, rule)
    return this
  })

  /** The router takes a route's `meta` from here, and offers no other way into it. */
  const toJSON = Route.prototype.toJSON
  Route.prototype.toJSON = function (this: Route) {
    const json = toJSON.call(this)
    return { ...json, meta: { ...json.meta, ...this.security } }
  }
}

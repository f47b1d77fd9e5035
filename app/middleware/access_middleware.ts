import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { isApiPath, answersJson } from '#exceptions/answer_form'
import type User from '#models/user'
import { staysOpen } from '#openapi/answer'
import { bearerOf, tokenOf } from '#identity/bearer'
import {
  abilityFor,
  isOnboarding,
  type AccessRule,
  type RouteSecurity,
} from '#identity/access_rules'
import { requireFreshProof } from '#identity/fresh_proof'
import { intendedPage } from '#identity/intended_page'
import { may, proofFor, type Permission } from '#identity/permissions'
import { allows } from '#identity/access_tokens'
import {
  E_INVALID_TOKEN,
  E_NO_ACCESS_RULE,
  E_NOT_ALLOWED,
  E_NOT_FOUND,
  E_NOT_SIGNED_IN,
  E_TOKEN_ABILITY,
} from '#identity/errors'

/**
 * Enforces the rule that the route declares. Signs the request in first, by its access token if it has one,
 * else by its session, so that `ctx.auth.user` is set on open routes too.
 */
export default class AccessMiddleware {
  async handle(ctx: HttpContext, next: NextFn) {
    const security: RouteSecurity = ctx.route?.meta ?? {}
    const rule = security.access
    if (!rule) throw new E_NO_ACCESS_RULE()

    await this.#signIn(ctx)
    if (ctx.auth.user && isApiPath(ctx.request.url())) {
      await this.#count(ctx, ctx.auth.user, security)
    }
    const completed = await this.#onboardingCompleted()
    if (!completed && leadsToOnboarding(ctx, rule)) {
      return ctx.response.redirect().toPath('/onboarding')
    }

    if (isOnboarding(rule) && completed) throw new E_NOT_FOUND()
    if (rule === 'anyone' || rule === 'onboarding') return next()

    if (!ctx.auth.user) return this.#refuse(ctx)
    const needed = permissionFor(rule, security)
    if (needed && !may(ctx.auth.user, needed)) throw new E_NOT_ALLOWED()
    await this.#checkProof(ctx, security, needed)
    if (isListening(ctx)) await this.#follow(ctx, needed)
    return next()
  }

  /** Counts a user's requests, changes and open streams. */
  async #count(
    { route, request, response }: HttpContext,
    { id }: User,
    security: RouteSecurity
  ): Promise<void> {
    const limits = await app.container.make('identity.limits')
    await limits.request(id)
    if (changesOwnThings(security, request.method())) await limits.change(id)
    if (staysOpen(route?.meta.answers)) limits.stream(id, response.response)
  }

  /** A permission may be withdrawn later, but nothing checks an open stream again, so listeners are tracked. */
  async #follow({ auth, response, session }: HttpContext, permission: Permission | null) {
    const listeners = await app.container.make('identity.listeners')
    const user = auth.user!
    const token = tokenOf(auth)
    const tokenId = token && String(token.identifier)
    const sessionId = token ? null : session.sessionId
    listeners.add({ userId: user.id, permission, sessionId, tokenId }, response.response)
  }

  /** A token needs the route's ability; routes that create credentials need a session with a fresh proof. */
  async #checkProof(ctx: HttpContext, security: RouteSecurity, needed: Permission | null) {
    const token = tokenOf(ctx.auth)
    const ability = abilityFor(security, ctx.request.method())
    if (token && !allows(token.abilities, ability)) throw new E_TOKEN_ABILITY(ability)

    const isFreshNeeded = needed !== null && proofFor(needed) === 'freshSession'
    if (!isFreshNeeded && (token || !security.confirmed)) return
    requireFreshProof(ctx, await app.container.make('identity.sessions'))
  }

  /** Ends an expired session, or a deactivated user's: the request is then anonymous. */
  async #signIn(ctx: HttpContext): Promise<void> {
    if (bearerOf(ctx.request)) {
      const valid = await ctx.auth.checkUsing(['api'])
      if (!valid || ctx.auth.user!.deactivatedAt) throw new E_INVALID_TOKEN()
      return
    }
    if (!ctx.session) return
    if (!(await ctx.auth.checkUsing(['web']))) return
    const sessions = await app.container.make('identity.sessions')
    if (ctx.auth.user!.deactivatedAt || !(await sessions.use(ctx))) {
      await ctx.auth.use('web').logout()
      ctx.session.clear()
    }
  }

  async #onboardingCompleted(): Promise<boolean> {
    const settings = await app.container.make('settings')
    return settings.get('onboarding.completed')
  }

  #refuse(ctx: HttpContext) {
    if (answersJson(ctx)) throw new E_NOT_SIGNED_IN()
    if (ctx.request.method() === 'GET' && !ctx.request.ajax()) {
      intendedPage.remember(ctx, ctx.request.url(true))
    }
    return ctx.response.redirect().toPath('/login')
  }
}

/** A route that requires a permission but names none is a defect. */
function permissionFor(rule: AccessRule, { permission }: RouteSecurity): Permission | null {
  if (rule === 'onboardingAdmin') return permission ?? 'manageSettings'
  if (rule !== 'permitted') return null
  if (!permission) throw new E_NO_ACCESS_RULE()
  return permission
}

/** Admin changes and messages to the agent do not count as changes to the user's own data. */
function changesOwnThings(security: RouteSecurity, method: string): boolean {
  return security.access === 'signedIn' && abilityFor(security, method) === 'manage'
}

/** Event streams last until someone leaves; a chat stream ends by itself. */
const isListening = ({ request, route }: HttpContext) =>
  request.method() === 'GET' && staysOpen(route?.meta.answers)

/** Applies to reading pages only, so signing in and out stays possible. */
function leadsToOnboarding({ request }: HttpContext, rule: AccessRule): boolean {
  return !isOnboarding(rule) && !isApiPath(request.url()) && request.method() === 'GET'
}

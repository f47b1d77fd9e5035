import type { HttpContext } from '@adonisjs/core/http'
import type { NextFn } from '@adonisjs/core/types/http'
import app from '@adonisjs/core/services/app'
import { isApiPath, answersJson } from '#exceptions/answer_form'
import { bearerOf } from '#identity/bearer'
import type { AccessRule, RouteSecurity } from '#identity/access_rules'
import {
  E_INVALID_TOKEN,
  E_NO_ACCESS_RULE,
  E_NOT_ALLOWED,
  E_NOT_FOUND,
  E_NOT_SIGNED_IN,
} from '#identity/errors'

/**
 * Enforces the rule that the route declares. It signs the request in first, by its access token if it
 * has one, else by its session, so `ctx.auth.user` is there for open routes too.
 */
export default class AccessMiddleware {
  async handle(ctx: HttpContext, next: NextFn) {
    const rule = (ctx.route?.meta as RouteSecurity | undefined)?.access
    if (!rule) throw new E_NO_ACCESS_RULE()

    await this.#signIn(ctx)
    const completed = await this.#onboardingCompleted()
    if (!completed && leadsToOnboarding(ctx, rule)) {
      return ctx.response.redirect().toPath('/onboarding')
    }

    if (isOnboarding(rule) && completed) throw new E_NOT_FOUND()
    if (rule === 'anyone' || rule === 'onboarding') return next()

    if (!ctx.auth.user) return this.#refuse(ctx)
    if ((rule === 'admin' || rule === 'onboardingAdmin') && !ctx.auth.user.isAdmin) {
      throw new E_NOT_ALLOWED()
    }
    return next()
  }

  /** A deactivated user's session ends here; from then on the request is nobody's. */
  async #signIn(ctx: HttpContext): Promise<void> {
    if (bearerOf(ctx.request)) {
      const valid = await ctx.auth.checkUsing(['api'])
      if (!valid || ctx.auth.user!.deactivatedAt) throw new E_INVALID_TOKEN()
      return
    }
    if (!ctx.session) return
    const signedIn = await ctx.auth.checkUsing(['web'])
    if (signedIn && ctx.auth.user!.deactivatedAt) {
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
    return ctx.response.redirect().withIntendedUrl().toPath('/login')
  }
}

const isOnboarding = (rule: AccessRule) => rule === 'onboarding' || rule === 'onboardingAdmin'

/** Pages only, and only looking at one: signing out or in stays possible. */
function leadsToOnboarding({ request }: HttpContext, rule: AccessRule): boolean {
  return !isOnboarding(rule) && !isApiPath(request.url()) && request.method() === 'GET'
}

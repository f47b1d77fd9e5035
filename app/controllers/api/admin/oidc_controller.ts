import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { signInJourneys } from '#controllers/sign_in_journeys'
import { publicOrigin } from '#controllers/public_origin'
import { decideRole } from '#identity/oidc/role_rules'
import { oidcClientValidator, roleTrialValidator } from '#validators/oidc'

/** `/api/v1/admin/auth/oidc`: the identity provider and its tests. */
export default class AdminOidcController {
  async show(ctx: HttpContext) {
    const setup = await app.container.make('identity.oidc.setup')
    const callbackUrl = `${await publicOrigin(ctx)}/auth/oidc/callback`
    const lastTest = signInJourneys.lastTrial(ctx.session, 'oidc')
    return { data: { ...(await setup.describe()), callbackUrl, lastTest } }
  }

  /** Asks the provider first; one that does not answer is not stored. */
  async update(ctx: HttpContext) {
    const input = await ctx.request.validateUsing(oidcClientValidator)
    const setup = await app.container.make('identity.oidc.setup')
    await setup.store(input, { user: ctx.auth.user!, address: ctx.request.ip() })
    return this.show(ctx)
  }

  /** Returns discovery and keys, and the URL of a test sign-in. */
  async test() {
    const setup = await app.container.make('identity.oidc.setup')
    return { data: { ...(await setup.inspect()), url: '/auth/oidc/test' } }
  }

  /** Returns the role that these rules assign for these claims. Stores nothing. */
  async role({ request }: HttpContext) {
    const { claims, ...rules } = await request.validateUsing(roleTrialValidator)
    return { data: decideRole(rules, claims) }
  }
}

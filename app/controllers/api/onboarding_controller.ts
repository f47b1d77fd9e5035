import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { requireFreshProof } from '#identity/fresh_proof'
import MeTransformer from '#transformers/me_transformer'
import { authStepValidator, claimValidator, providerStepValidator } from '#validators/onboarding'
import { systemAgentsStepValidator } from '#validators/system_agents'

/** `/api/v1/onboarding`: each step returns the resulting state of the set-up. */
export default class OnboardingController {
  async show() {
    const onboarding = await app.container.make('onboarding')
    return { data: await onboarding.state() }
  }

  /** First step: the setup token claims the installation, and its first admin is signed in. */
  async claim(ctx: HttpContext) {
    const { setupToken, ...credentials } = await ctx.request.validateUsing(claimValidator)
    const onboarding = await app.container.make('onboarding')
    const admin = await onboarding.claim(setupToken, credentials, ctx.request.ip())

    const sessions = await app.container.make('identity.sessions')
    await sessions.start(ctx, admin, 'breakglass')
    return ctx.response.created(await ctx.serialize(MeTransformer.transform(admin, 'breakglass')))
  }

  /** Skipping the step creates no access, so a script may do it with a token. */
  async auth(ctx: HttpContext) {
    const { auth, request } = ctx
    const { skip, issuerUrl, clientId, clientSecret } =
      await request.validateUsing(authStepValidator)
    if (!skip) {
      requireFreshProof(ctx, await app.container.make('identity.sessions'))
      const step = await app.container.make('onboarding.auth')
      const client = { issuerUrl: issuerUrl!, clientId: clientId!, clientSecret: clientSecret! }
      await step.store(client, { user: auth.user!, address: request.ip() })
    }
    const onboarding = await app.container.make('onboarding')
    return { data: await onboarding.stepDone('auth') }
  }

  async provider({ auth, request }: HttpContext) {
    const input = await request.validateUsing(providerStepValidator)
    const step = await app.container.make('onboarding.provider')
    await step.store(input, { user: auth.user!, address: request.ip() })
    const onboarding = await app.container.make('onboarding')
    return { data: await onboarding.stepDone('provider') }
  }

  async systemAgents({ auth, request }: HttpContext) {
    const { skip, agents = [] } = await request.validateUsing(systemAgentsStepValidator)
    if (!skip) {
      const systemAgents = await app.container.make('agents.system')
      const actor = { user: auth.user!, address: request.ip() }
      for (const agent of agents) await systemAgents.createOrUpdate(agent, actor)
    }
    const onboarding = await app.container.make('onboarding')
    return { data: await onboarding.stepDone('systemAgents') }
  }

  async complete({ auth, request }: HttpContext) {
    const onboarding = await app.container.make('onboarding')
    return { data: await onboarding.complete({ user: auth.user!, address: request.ip() }) }
  }
}

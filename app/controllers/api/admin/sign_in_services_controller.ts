import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { publicOrigin } from '#controllers/public_origin'
import { signInJourneys } from '#controllers/sign_in_journeys'
import { listed } from '#models/page'
import { pageValidator } from '#validators/identity'
import { signInServiceValidator } from '#validators/sign_in_services'

/** `/api/v1/admin/auth/services`: the services that people can sign in with, beside single sign-on. */
export default class AdminSignInServicesController {
  async index(ctx: HttpContext) {
    const query = await pageValidator.validate(ctx.request.qs())
    const setup = await app.container.make('identity.services.setup')
    const origin = await publicOrigin(ctx)
    const services = (await setup.list()).map((service) => shown(service, origin, ctx))
    return listed(services, query)
  }

  /** The service is asked first, where an address was entered; what does not answer is not stored. */
  async update(ctx: HttpContext) {
    const input = await ctx.request.validateUsing(signInServiceValidator)
    const setup = await app.container.make('identity.services.setup')
    const by = { user: ctx.auth.user!, address: ctx.request.ip() }
    const service = await setup.store(ctx.params.name, input, by)
    return { data: shown(service, await publicOrigin(ctx), ctx) }
  }
}

/** With what the admin registers there, and how their last test sign-in went. */
function shown<Service extends { name: string }>(
  service: Service,
  origin: string,
  { session }: HttpContext
) {
  return {
    ...service,
    callbackUrl: `${origin}/auth/${service.name}/callback`,
    lastTest: signInJourneys.lastTrial(session, service.name),
  }
}

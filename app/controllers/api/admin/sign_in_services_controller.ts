import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { publicOrigin } from '#controllers/public_origin'
import { signInJourneys } from '#controllers/sign_in_journeys'
import { listed } from '#models/page'
import { pageValidator } from '#validators/identity'
import { signInServiceValidator } from '#validators/sign_in_services'

/** `/api/v1/admin/auth/services`: sign-in services other than single sign-on. */
export default class AdminSignInServicesController {
  async index(ctx: HttpContext) {
    const query = await pageValidator.validate(ctx.request.qs())
    const setup = await app.container.make('identity.services.setup')
    const origin = await publicOrigin(ctx)
    const services = (await setup.list()).map((service) => shown(service, origin, ctx))
    return listed(services, query)
  }

  /** If an address was entered, asks the service first; one that does not answer is not stored. */
  async update(ctx: HttpContext) {
    const input = await ctx.request.validateUsing(signInServiceValidator)
    const setup = await app.container.make('identity.services.setup')
    const by = { user: ctx.auth.user!, address: ctx.request.ip() }
    const service = await setup.store(ctx.params.name, input, by)
    return { data: shown(service, await publicOrigin(ctx), ctx) }
  }
}

/** Adds the values to register at the service, and the result of the last test sign-in. */
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

import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { pageValidator } from '#validators/identity'
import {
  deleteProviderValidator,
  providerChangesValidator,
  providerValidator,
} from '#validators/provider'
import ProviderTransformer from '#transformers/provider_transformer'

/** `/api/v1/providers`: a user's own LLM services. */
export default class ProvidersController {
  async index({ auth, request, serialize }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const providers = await app.container.make('settings.providers')
    const page = await providers.list(auth.user!.id, query)
    return serialize(ProviderTransformer.paginate(page.all(), page.getMeta()))
  }

  async show({ auth, params, serialize }: HttpContext) {
    const providers = await app.container.make('settings.providers')
    return serialize(ProviderTransformer.transform(await providers.find(auth.user!.id, params.id)))
  }

  async store({ auth, request, response, serialize }: HttpContext) {
    const input = await request.validateUsing(providerValidator)
    const providers = await app.container.make('settings.providers')
    const provider = await providers.create({ user: auth.user!, address: request.ip() }, input)
    return response.created(await serialize(ProviderTransformer.transform(provider)))
  }

  async update({ auth, params, request, serialize }: HttpContext) {
    const changes = await request.validateUsing(providerChangesValidator)
    const providers = await app.container.make('settings.providers')
    const actor = { user: auth.user!, address: request.ip() }
    return serialize(
      ProviderTransformer.transform(await providers.update(actor, params.id, changes))
    )
  }

  async destroy({ auth, params, request, response }: HttpContext) {
    const { clear = false } = await deleteProviderValidator.validate(request.qs())
    const providers = await app.container.make('settings.providers')
    await providers.delete({ user: auth.user!, address: request.ip() }, params.id, { clear })
    return response.noContent()
  }
}

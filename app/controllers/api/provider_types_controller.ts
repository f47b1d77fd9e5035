import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { pageOf } from '#models/page'
import { pageValidator } from '#validators/identity'
import ProviderTypeTransformer from '#transformers/provider_type_transformer'

/** `GET /api/v1/provider-types`: the types of LLM services. */
export default class ProviderTypesController {
  async index({ request, serialize }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const registry = await app.container.make('llm.registry')
    const { rows, meta } = pageOf(registry.all(), query)
    return serialize(ProviderTypeTransformer.paginate(rows, meta))
  }
}

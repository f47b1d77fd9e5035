import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { accessTokenValidator, pageValidator } from '#validators/identity'
import { pageOf } from '#models/page'
import AccessTokenTransformer from '#transformers/access_token_transformer'

/** `/api/v1/tokens`: a user's own access tokens. */
export default class AccessTokensController {
  async index({ auth, request, serialize }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const tokens = await app.container.make('identity.tokens')
    const { rows, meta } = pageOf(await tokens.list(auth.user!), query)
    return serialize(AccessTokenTransformer.paginate(rows, meta))
  }

  /** The only response that contains the token. */
  async store({ auth, request, response, serialize }: HttpContext) {
    const input = await request.validateUsing(accessTokenValidator)
    const user = auth.user!
    const tokens = await app.container.make('identity.tokens')
    const token = await tokens.create(user, input)

    const audit = await app.container.make('audit')
    await audit.record({
      actor: user,
      action: 'token.created',
      subject: { type: 'token', id: String(token.identifier) },
      details: { name: input.name, abilities: token.abilities },
      address: request.ip(),
    })
    const { data } = await serialize(AccessTokenTransformer.transform(token))
    return response.created({ data: { ...data, token: token.value!.release() } })
  }

  async destroy({ auth, params, request, response }: HttpContext) {
    const tokens = await app.container.make('identity.tokens')
    await tokens.delete(auth.user!, params.id)

    const audit = await app.container.make('audit')
    await audit.record({
      actor: auth.user!,
      action: 'token.deleted',
      subject: { type: 'token', id: params.id },
      address: request.ip(),
    })
    return response.noContent()
  }
}

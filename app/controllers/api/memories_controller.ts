import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { parseJson } from '#bounded/json'
import { refuseFields } from '#settings/field_errors'
import {
  KEY_LENGTH,
  memoriesValidator,
  memoryKeyValidator,
  memoryValidator,
} from '#validators/knowledge'

/** `/api/v1/agent/memory`: the key-value memories of the caller's agent. */
export default class MemoriesController {
  async index({ auth, request }: HttpContext) {
    const query = await memoriesValidator.validate(request.qs())
    return (await this.#memories()).list(auth.user!.id, query)
  }

  async show({ auth, params, request }: HttpContext) {
    const { namespace } = await memoryKeyValidator.validate(request.qs())
    const memories = await this.#memories()
    return { data: await memories.find(auth.user!.id, { namespace, key: params.key }) }
  }

  /** Accepts the namespace and the revision in the query or in the body, as `destroy` does. */
  async update({ auth, params, request }: HttpContext) {
    const asked = await memoryKeyValidator.validate(request.qs())
    const { key } = params
    if (key.length > KEY_LENGTH) {
      refuseFields([{ field: 'key', message: `A key has at most ${KEY_LENGTH} characters.` }])
    }
    const { namespace = asked.namespace, ...given } = await request.validateUsing(memoryValidator)
    const input = { revision: asked.revision, ...given, value: sentValue(request) }
    const memories = await this.#memories()
    return { data: await memories.put(auth.user!.id, { namespace, key }, input) }
  }

  async destroy({ auth, params, request, response }: HttpContext) {
    const asked = { ...request.qs(), ...request.body() }
    const { namespace, revision } = await memoryKeyValidator.validate(asked)
    const memories = await this.#memories()
    await memories.delete(auth.user!.id, { namespace, key: params.key }, revision)
    return response.noContent()
  }

  #memories() {
    return app.container.make('knowledge.memories')
  }
}

/**
 * Returns the value as it was sent: the body parser turns empty texts into null.
 *
 * @throws E_VALIDATION_ERROR for a value that is nested too deeply
 */
function sentValue(request: HttpContext['request']): unknown {
  const body = request.raw()
  if (!body || !request.is(['json'])) return request.input('value')
  try {
    return (parseJson(body) as { value: unknown }).value
  } catch (error) {
    refuseFields([{ field: 'value', message: (error as SyntaxError).message }])
  }
}

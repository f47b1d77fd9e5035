import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { memoriesValidator, memoryKeyValidator, memoryValidator } from '#validators/knowledge'

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

  /** Accepts the namespace in the query, like the other actions, or in the body. */
  async update({ auth, params, request }: HttpContext) {
    const asked = await memoryKeyValidator.validate(request.qs())
    const { namespace = asked.namespace, ...input } = await request.validateUsing(memoryValidator)
    const memories = await this.#memories()
    const at = { namespace, key: params.key }
    return { data: await memories.put(auth.user!.id, at, { revision: asked.revision, ...input }) }
  }

  async destroy({ auth, params, request, response }: HttpContext) {
    const { namespace, revision } = await memoryKeyValidator.validate(request.qs())
    const memories = await this.#memories()
    await memories.delete(auth.user!.id, { namespace, key: params.key }, revision)
    return response.noContent()
  }

  #memories() {
    return app.container.make('knowledge.memories')
  }
}

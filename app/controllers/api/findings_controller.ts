import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { listed } from '#models/page'
import {
  findingChangesValidator,
  findingSearchValidator,
  findingsValidator,
  findingValidator,
  forceValidator,
} from '#validators/knowledge'

const MATCHES = 10

/** `/api/v1/findings`: what a user and their agent found out. */
export default class FindingsController {
  async index({ auth, request }: HttpContext) {
    const query = await findingsValidator.validate(request.qs())
    return (await this.#findings()).list(auth.user!.id, query)
  }

  async show({ auth, params }: HttpContext) {
    return { data: await (await this.#findings()).find(auth.user!.id, params.id) }
  }

  async store({ auth, request, response }: HttpContext) {
    const { force } = await forceValidator.validate(request.qs())
    const input = await request.validateUsing(findingValidator)
    const findings = await this.#findings()
    const made = await findings.create(auth.user!.id, 'person', input, { force })
    return response.created({ data: made })
  }

  async update({ auth, params, request }: HttpContext) {
    const changes = await request.validateUsing(findingChangesValidator)
    return { data: await (await this.#findings()).update(auth.user!.id, params.id, changes) }
  }

  async destroy({ auth, params, response }: HttpContext) {
    await (await this.#findings()).delete(auth.user!.id, params.id)
    return response.noContent()
  }

  async search({ auth, request }: HttpContext) {
    const { query, limit = MATCHES } = await request.validateUsing(findingSearchValidator)
    const found = await (await this.#findings()).search(auth.user!.id, query, limit)
    return listed(found, { limit })
  }

  #findings() {
    return app.container.make('knowledge.findings')
  }
}

import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { listed } from '#models/page'
import { pageValidator } from '#validators/identity'

/** `/api/v1/admin/nodes`: the machines of the runtime in use, and their agents by number; none if it has one machine. */
export default class AdminNodesController {
  async index({ request }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const nodes = await app.container.make('agents.nodes')
    const data = (await nodes.list()).map(({ instances, ...node }) => ({
      ...node,
      agents: instances.length,
    }))
    return listed(data, query)
  }
}

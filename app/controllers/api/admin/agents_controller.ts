import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import AgentSummary from '#models/agent_summary'
import AdminAgentTransformer from '#transformers/admin_agent_transformer'
import { agentQueryValidator } from '#validators/admin_agents'

/** `/api/v1/admin/agents`: the users' agents, by status only. */
export default class AdminAgentsController {
  async index({ request, serialize }: HttpContext) {
    const query = await agentQueryValidator.validate(request.qs())
    const directory = await app.container.make('agents.directory')
    const rows = await directory.list(query)
    return serialize(AdminAgentTransformer.paginate(rows.all(), rows.getMeta()))
  }

  stop(ctx: HttpContext) {
    return this.#control(ctx, 'stop')
  }

  restart(ctx: HttpContext) {
    return this.#control(ctx, 'restart')
  }

  async #control({ auth, params, request, response, serialize }: HttpContext, verb: Verb) {
    const row = await AgentSummary.query().where('id', params.id).preload('user').firstOrFail()
    const lifecycle = await app.container.make('agents.lifecycle')
    await lifecycle[verb](`user/${row.userId}`)
    await row.refresh()

    const audit = await app.container.make('audit')
    await audit.record({
      actor: auth.user!,
      action: `agent.${verb}`,
      subject: { type: 'user', id: row.userId },
      address: request.ip(),
    })
    return response.accepted(await serialize(AdminAgentTransformer.transform(row)))
  }
}

type Verb = 'stop' | 'restart'

import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import AgentSummary from '#models/agent_summary'
import AdminAgentTransformer from '#transformers/admin_agent_transformer'
import { agentChangesValidator, agentQueryValidator } from '#validators/admin_agents'

/** `/api/v1/admin/agents`: the users' agents, by status only. */
export default class AdminAgentsController {
  async index({ request, serialize }: HttpContext) {
    const query = await agentQueryValidator.validate(request.qs())
    const directory = await app.container.make('agents.directory')
    const rows = await directory.list(query)
    return serialize(AdminAgentTransformer.paginate(rows.all(), rows.getMeta()))
  }

  async update({ auth, params, request, serialize }: HttpContext) {
    const { limits } = await request.validateUsing(agentChangesValidator)
    const changes = await app.container.make('agents.limits')
    await changes.set(params.id, limits, { user: auth.user!, address: request.ip() })
    return serialize(AdminAgentTransformer.transform(await this.#find(params.id)))
  }

  stop(ctx: HttpContext) {
    return this.#control(ctx, 'stop')
  }

  restart(ctx: HttpContext) {
    return this.#control(ctx, 'restart')
  }

  async #control({ auth, params, request, response, serialize }: HttpContext, verb: Verb) {
    const row = await this.#find(params.id)
    const lifecycle = await app.container.make('agents.lifecycle')
    /** The action has only begun and may still fail; the row lags behind. */
    void lifecycle[verb](`user/${row.userId}`)
    await row.refresh()
    const { status, desired } = await lifecycle.describe(`user/${row.userId}`)
    row.merge({ desired, ...(status !== 'resting' && { status }) })

    const audit = await app.container.make('audit')
    await audit.record({
      actor: auth.user!,
      action: `agent.${verb}`,
      subject: { type: 'user', id: row.userId },
      address: request.ip(),
    })
    return response.accepted(await serialize(AdminAgentTransformer.transform(row)))
  }

  #find(id: string): Promise<AgentSummary> {
    return AgentSummary.query().where({ id }).preload('user').firstOrFail()
  }
}

type Verb = 'stop' | 'restart'

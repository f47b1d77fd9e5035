import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import type { Actor } from '#settings/actor'
import { pageValidator } from '#validators/identity'
import SystemAgentTransformer from '#transformers/system_agent_transformer'
import { systemAgentChangesValidator, systemAgentValidator } from '#validators/system_agents'

const byAdmin = ({ auth, request }: HttpContext): Actor => ({
  user: auth.user!,
  address: request.ip(),
})

/** `/api/v1/admin/system-agents`. */
export default class SystemAgentsController {
  async index({ request, serialize }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const agents = await app.container.make('agents.system')
    const page = await agents.list(query)
    return serialize(SystemAgentTransformer.paginate(page.all(), page.getMeta()))
  }

  async store(ctx: HttpContext) {
    const input = await ctx.request.validateUsing(systemAgentValidator)
    const agents = await app.container.make('agents.system')
    const row = await agents.create(input, byAdmin(ctx))
    return ctx.response.created(await ctx.serialize(SystemAgentTransformer.transform(row)))
  }

  async update(ctx: HttpContext) {
    const changes = await ctx.request.validateUsing(systemAgentChangesValidator)
    const agents = await app.container.make('agents.system')
    const row = await agents.update(await agents.find(ctx.params.id), changes, byAdmin(ctx))
    return ctx.serialize(SystemAgentTransformer.transform(row))
  }

  async destroy(ctx: HttpContext) {
    const agents = await app.container.make('agents.system')
    await agents.delete(await agents.find(ctx.params.id), byAdmin(ctx))
    return ctx.response.noContent()
  }

  /** Returns the last lines of its log. */
  async logs({ params }: HttpContext) {
    const agents = await app.container.make('agents.system')
    const logs = await app.container.make('agents.logs')
    return { data: await logs.read(await agents.find(params.id)) }
  }

  start(ctx: HttpContext) {
    return this.#control(ctx, 'start')
  }

  stop(ctx: HttpContext) {
    return this.#control(ctx, 'stop')
  }

  restart(ctx: HttpContext) {
    return this.#control(ctx, 'restart')
  }

  async #control(ctx: HttpContext, verb: 'start' | 'stop' | 'restart') {
    const agents = await app.container.make('agents.system')
    const row = await agents.find(ctx.params.id)
    await agents[verb](row)
    await row.refresh()
    /** The row lags behind: the change has only begun. */
    const lifecycle = await app.container.make('agents.lifecycle')
    const { status, desired } = await lifecycle.describe(`system/${row.id}`)
    row.merge({ desired, ...(status !== 'resting' && { status }) })

    const audit = await app.container.make('audit')
    await audit.record({
      actor: ctx.auth.user!,
      action: `system_agent.${verb}`,
      subject: { type: 'system_agent', id: row.id },
      address: ctx.request.ip(),
    })
    return ctx.response.accepted(await ctx.serialize(SystemAgentTransformer.transform(row)))
  }
}

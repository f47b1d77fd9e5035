import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { agentConfigValidator } from '#validators/agent_config'

/** `/api/v1/agent-config`: a user's choices for their agent. */
export default class AgentConfigController {
  async show({ auth }: HttpContext) {
    const preferences = await app.container.make('settings.agent_preferences')
    return { data: await preferences.get(auth.user!.id) }
  }

  async update({ auth, request }: HttpContext) {
    const changes = await request.validateUsing(agentConfigValidator)
    const preferences = await app.container.make('settings.agent_preferences')
    const actor = { user: auth.user!, address: request.ip() }
    return { data: await preferences.put(actor, changes) }
  }
}

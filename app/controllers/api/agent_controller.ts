import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { streamEvents } from '#http/server_sent_events'
import type { AgentKey } from '#agents/types'

/** `/api/v1/agent`: the signed-in user's own agent. */
export default class AgentController {
  async show({ auth }: HttpContext) {
    return this.#view(own(auth))
  }

  async start({ auth, response }: HttpContext) {
    const agent = own(auth)
    await (await app.container.make('agents.lifecycle')).start(agent)
    void (await app.container.make('agents.prewarmer')).prewarm(agent)
    return response.accepted(await this.#view(agent))
  }

  async stop({ auth, response }: HttpContext) {
    const agent = own(auth)
    const lifecycle = await app.container.make('agents.lifecycle')
    void lifecycle.stop(agent)
    return response.accepted(await this.#view(agent))
  }

  async restart({ auth, response }: HttpContext) {
    const agent = own(auth)
    const lifecycle = await app.container.make('agents.lifecycle')
    void (await app.container.make('agents.prewarmer')).prewarm(
      agent,
      lifecycle.restartAndWait(agent)
    )
    return response.accepted(await this.#view(agent))
  }

  async keepAwake({ auth, response }: HttpContext) {
    const agent = own(auth)
    const lifecycle = await app.container.make('agents.lifecycle')
    lifecycle.keepAwake(agent)
    return response.accepted(await this.#view(agent))
  }

  /** Returns its last lines, while the agent has failed. */
  async log({ auth }: HttpContext) {
    const crashLog = await app.container.make('agents.crash_log')
    return { data: { lines: await crashLog.of(own(auth)) } }
  }

  /** Server-sent events: the current status, then `progress` and `status` as they occur. */
  async events(context: HttpContext) {
    const streams = await app.container.make('agents.event_streams')
    return streamEvents(context, await streams.open(own(context.auth)))
  }

  async #view(agent: AgentKey) {
    const lifecycle = await app.container.make('agents.lifecycle')
    return { data: await lifecycle.describe(agent) }
  }
}

function own(auth: HttpContext['auth']): AgentKey {
  return `user/${auth.user!.id}`
}

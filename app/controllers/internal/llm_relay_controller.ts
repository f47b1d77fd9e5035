import type { HttpContext } from '@adonisjs/core/http'
import { agentToken } from '#controllers/internal/agent_token'
import relay from '#llm_relay/services/main'

/** The path after the provider's ID, still encoded, with the query. */
const REST = /^\/api\/internal\/llm\/[^/]+(\/.*)$/s

/** Forwards an agent's model call and streams the provider's response back. */
export default class LlmRelayController {
  async handle({ request, response, params }: HttpContext) {
    const agent = new AbortController()
    response.response.once('close', () => agent.abort())

    try {
      const answer = await relay.answer({
        token: agentToken(request),
        providerId: params.providerId,
        method: request.method(),
        rest: REST.exec(request.request.url ?? '')?.[1] ?? '/',
        headers: request.headers(),
        body: request.request,
        signal: agent.signal,
      })
      response.status(answer.status)
      for (const [name, value] of Object.entries(answer.headers)) response.header(name, value)
      if (typeof answer.body === 'string') response.send(answer.body)
      else response.stream(answer.body)
    } catch (error) {
      /** The client is gone, so nobody reads a response. */
      if (agent.signal.aborted) return
      throw error
    }
  }
}

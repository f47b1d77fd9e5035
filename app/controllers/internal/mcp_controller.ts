import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { readBody } from '#chat/request_body'
import UserAgentConfig from '#models/user_agent_config'
import { E_AGENT_UNAUTHORIZED } from '#openclaw/errors'
import { E_KNOWLEDGE_OFF } from '#knowledge/errors'
import { agentTokens } from '#openclaw/services/main'

const LIMITS = { limit: 256 * 1024, deadlineMs: 30_000, take() {} }

/**
 * `POST /api/internal/mcp`: gives agents access to knowledge, authenticated by their knowledge token only.
 */
export default class McpController {
  async handle({ request, response }: HttpContext) {
    const [, token = null] = /^Bearer (\S+)$/i.exec(request.header('authorization') ?? '') ?? []
    const identity = await agentTokens.identifyKnowledge(token)
    if (!identity?.ownerId) throw new E_AGENT_UNAUTHORIZED()
    /** No event stream to subscribe to, and no session to end. */
    if (request.method() !== 'POST') return response.status(405).header('allow', 'POST').send('')

    const userId = identity.ownerId
    const access = (await UserAgentConfig.ownedBy(userId).first())?.knowledge ?? 'off'
    if (access === 'off') throw new E_KNOWLEDGE_OFF()
    const server = await app.container.make('knowledge.mcp')
    const message = String(await readBody(request.request, LIMITS))
    const answer = await server.answer({ userId, access }, message)
    response.header('cache-control', 'no-store')
    return answer === null ? response.status(202).send('') : response.json(answer)
  }
}

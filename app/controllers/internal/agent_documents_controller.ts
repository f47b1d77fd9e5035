import type { HttpContext } from '@adonisjs/core/http'
import { agentToken } from '#controllers/internal/agent_token'
import type { AgentIdentity } from '#openclaw/agent_tokens'
import { E_AGENT_UNAUTHORIZED } from '#openclaw/errors'
import type { ServedDocument } from '#openclaw/served_documents'
import { agentTokens, servedDocuments } from '#openclaw/services/main'

/** Serves an agent, and only that agent, its start-up files. */
export default class AgentDocumentsController {
  /** The OpenClaw document. */
  async show(ctx: HttpContext) {
    const served = await this.#served(ctx)
    return this.#answer(ctx, served.document, served.etag)
  }

  /** Companion files: `{ files: [{ path, content }] }`. */
  async files(ctx: HttpContext) {
    const served = await this.#served(ctx)
    return this.#answer(ctx, served.files, served.etag)
  }

  async #served({ request, params }: HttpContext): Promise<ServedDocument> {
    const identity = await agentTokens.identify(agentToken(request))
    if (!identity || !isNamed(identity, params.containerType, params.id)) {
      throw new E_AGENT_UNAUTHORIZED()
    }
    return servedDocuments.forAgent(identity.agent)
  }

  #answer({ request, response }: HttpContext, body: string, etag: string) {
    response.header('etag', etag)
    response.header('cache-control', 'private, no-cache')
    if (names(request.header('if-none-match'), etag)) return response.status(304).send(null)
    response.header('content-type', 'application/json; charset=utf-8')
    return response.send(body)
  }
}

/** Whether `If-None-Match` has this tag, which compressing proxies weaken. */
function names(tags: string | undefined, etag: string): boolean {
  const each = tags?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  return each.includes(etag) || each.includes('*')
}

/** A user's agent accepts both the user's ID and its row's. */
function isNamed({ agent, rowId }: AgentIdentity, type: string, id: string): boolean {
  return agent === `${type}/${id}` || (rowId === id && agent.startsWith(`${type}/`))
}

import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { Conversations } from '#chat/conversations'
import { E_CHAT_UNKNOWN_MODEL, E_CHAT_UNUSABLE_MODEL } from '#chat/errors'
import { Pictures } from '#chat/pictures'
import { listed, PAGE_LIMIT } from '#models/page'
import { refuseFields } from '#settings/field_errors'
import {
  conversationChangeValidator,
  conversationsValidator,
  conversationValidator,
  pictureValidator,
} from '#validators/chat'

/** The caller's conversations, read from their agent. */
@inject()
export default class ConversationsController {
  constructor(
    protected conversations: Conversations,
    protected pictures: Pictures
  ) {}

  async index({ auth, request }: HttpContext) {
    const { search, wake, ...query } = await conversationsValidator.validate(request.qs())
    const agent = `user/${auth.user!.id}` as const
    const { data, asOf } =
      wake === 'false'
        ? await this.conversations.lastList(agent, search)
        : { data: await this.conversations.list(agent, search), asOf: undefined }
    const answer = listed(data, { limit: PAGE_LIMIT, ...query })
    return asOf ? { ...answer, meta: { ...answer.meta, asOf } } : answer
  }

  /** With `?format=markdown`, the whole conversation as a file. */
  async show({ auth, request, response, params }: HttpContext) {
    const { cursor, format } = await conversationValidator.validate(request.qs())
    const agent = `user/${auth.user!.id}` as const
    if (format !== 'markdown') {
      return { data: await this.conversations.read(agent, params.id, cursor) }
    }
    const document = await this.conversations.markdown(agent, params.id)
    response.header('content-type', 'text/markdown; charset=utf-8')
    response.header('content-disposition', 'attachment; filename="conversation.md"')
    response.header('cache-control', 'no-store')
    return response.send(document)
  }

  /**
   * A message's own picture never changes, so the browser may cache it for a while; shared caches may not. The agent
   * may overwrite a file of its workspace.
   */
  async picture({ auth, request, response, params }: HttpContext) {
    const name = await pictureValidator.validate(request.qs())
    const { type, data } = await this.pictures.read(`user/${auth.user!.id}`, params.id, name)
    response.header('content-type', type)
    response.header('cache-control', name.artifact ? 'private, max-age=3600' : 'private, no-cache')
    return response.send(data, true)
  }

  async update({ auth, request, params }: HttpContext) {
    const change = await request.validateUsing(conversationChangeValidator)
    const agent = `user/${auth.user!.id}` as const
    try {
      return { data: await this.conversations.change(agent, params.id, change) }
    } catch (error) {
      if (error instanceof E_CHAT_UNKNOWN_MODEL || error instanceof E_CHAT_UNUSABLE_MODEL) {
        refuseFields([{ field: 'model', message: error.message }])
      }
      throw error
    }
  }

  async destroy({ auth, params, response }: HttpContext) {
    await this.conversations.delete(`user/${auth.user!.id}`, params.id)
    return response.noContent()
  }
}

import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { Conversations } from '#chat/conversations'
import { conversationListValidator, conversationValidator } from '#validators/chat'

/** The caller's own conversations, read from their agent. */
@inject()
export default class ConversationsController {
  constructor(protected conversations: Conversations) {}

  async index({ auth, request }: HttpContext) {
    const { page = 1, limit = 50 } = await request.validateUsing(conversationListValidator)
    const all = await this.conversations.list(`user/${auth.user!.id}`)
    const data = all.slice((page - 1) * limit, page * limit)
    const totalPages = Math.max(1, Math.ceil(all.length / limit))
    return { data, meta: { total: all.length, page, limit, totalPages } }
  }

  async show({ auth, request, params }: HttpContext) {
    const { cursor } = await request.validateUsing(conversationValidator)
    return { data: await this.conversations.read(`user/${auth.user!.id}`, params.id, cursor) }
  }

  async destroy({ auth, params, response }: HttpContext) {
    await this.conversations.delete(`user/${auth.user!.id}`, params.id)
    return response.noContent()
  }
}

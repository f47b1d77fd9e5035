import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { Conversations } from '#chat/conversations'
import { listed, PAGE_LIMIT } from '#models/page'
import { conversationValidator } from '#validators/chat'
import { pageValidator } from '#validators/identity'

/** The caller's own conversations, read from their agent. */
@inject()
export default class ConversationsController {
  constructor(protected conversations: Conversations) {}

  async index({ auth, request }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    const all = await this.conversations.list(`user/${auth.user!.id}`)
    return listed(all, { limit: PAGE_LIMIT, ...query })
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

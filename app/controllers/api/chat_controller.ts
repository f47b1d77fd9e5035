import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { PageChat } from '#chat/page_chat'
import { chatValidator } from '#validators/chat'

/** A message to one's own agent, answered as an event stream. */
@inject()
export default class ChatController {
  constructor(protected chat: PageChat) {}

  async store({ auth, request, response }: HttpContext) {
    const { conversationId, message } = await request.validateUsing(chatValidator)
    /** The stream goes straight to the connection: what the stack before it set must be there first. */
    response.relayHeaders()
    await this.chat.answer({
      agent: `user/${auth.user!.id}`,
      conversationId: conversationId ?? null,
      message,
      headers: request.headers(),
      response: response.response,
      requestId: request.id(),
    })
  }
}

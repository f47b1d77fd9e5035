import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { PageChat } from '#chat/page_chat'
import { chatValidator } from '#validators/chat'

/** Sends a message to the caller's own agent and answers with an event stream. */
@inject()
export default class ChatController {
  constructor(protected chat: PageChat) {}

  async store({ auth, request, response }: HttpContext) {
    const { conversationId, message } = await request.validateUsing(chatValidator)
    /**
     * The stream bypasses the stack and writes to the connection, so the headers set so far must be sent first.
     */
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

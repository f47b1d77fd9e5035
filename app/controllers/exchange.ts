import type { HttpContext } from '@adonisjs/core/http'
import type { Exchange } from '#chat/openai_chat'

/** Returns a request of the relay stack, and its response, as the chat services take them. */
export function exchangeOf(ctx: HttpContext): Exchange {
  const { request, response, tokenUserId, userNamesConversation } = ctx
  return {
    agent: `user/${tokenUserId}`,
    request: request.request,
    response: response.response,
    requestId: request.id(),
    byUser: userNamesConversation,
  }
}

import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { MessagesApi } from '#chat/messages_api'
import { exchangeOf } from '#controllers/exchange'

/** Anthropic's API: any of its clients with an access token talks to the caller's own models. */
@inject()
export default class MessagesController {
  constructor(protected messages: MessagesApi) {}

  store(ctx: HttpContext) {
    return this.messages.answer('/messages', exchangeOf(ctx))
  }

  count(ctx: HttpContext) {
    return this.messages.answer('/messages/count_tokens', exchangeOf(ctx))
  }
}

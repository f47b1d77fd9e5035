import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { ModelCatalogue } from '#chat/model_catalogue'
import { OpenAiChat } from '#chat/openai_chat'
import { exchangeOf } from '#controllers/exchange'

/** OpenAI's API: any OpenAI client with an access token talks to the caller's own agent. */
@inject()
export default class OpenAiController {
  constructor(
    protected chat: OpenAiChat,
    protected models: ModelCatalogue
  ) {}

  complete(ctx: HttpContext) {
    return this.chat.answer(exchangeOf(ctx))
  }

  respond(ctx: HttpContext) {
    return this.chat.respond(exchangeOf(ctx))
  }

  embed(ctx: HttpContext) {
    return this.chat.embed(exchangeOf(ctx))
  }

  /** Serialised once: a list may have thousands of models. */
  async index({ response, tokenUserId }: HttpContext) {
    const answer = await this.models.list(`user/${tokenUserId}`)
    response.header('content-type', 'application/json; charset=utf-8').send(answer)
  }

  /** A model ID may contain slashes, so the rest of the path is the ID. */
  async show({ params, tokenUserId }: HttpContext) {
    return this.models.find(`user/${tokenUserId}`, params['*'].join('/'))
  }
}

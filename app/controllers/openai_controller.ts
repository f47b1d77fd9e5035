import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { ModelCatalogue } from '#chat/model_catalogue'
import { OpenAiChat } from '#chat/openai_chat'

/** OpenAI's surface: any of its clients, with an access token, talks to the caller's own agent. */
@inject()
export default class OpenAiController {
  constructor(
    protected chat: OpenAiChat,
    protected models: ModelCatalogue
  ) {}

  complete({ request, response, tokenUserId }: HttpContext) {
    return this.chat.answer({
      agent: `user/${tokenUserId}`,
      request: request.request,
      response: response.response,
      requestId: request.id(),
    })
  }

  async index({ tokenUserId }: HttpContext) {
    return { object: 'list', data: await this.models.list(`user/${tokenUserId}`) }
  }

  /** A model's id may hold slashes, so the rest of the path is the id. */
  async show({ params, tokenUserId }: HttpContext) {
    return this.models.find(`user/${tokenUserId}`, params['*'].join('/'))
  }
}

import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { Approvals } from '#chat/approvals'
import { MessageFiles, type SentAttachment } from '#chat/message_files'
import { PageChat } from '#chat/page_chat'
import { Uploads } from '#chat/uploads'
import { approvalAnswerValidator, chatValidator } from '#validators/chat'

/** Messages to the caller's own agent, answered as event streams, and actions on running answers. */
@inject()
export default class ChatController {
  constructor(
    protected chat: PageChat,
    protected files: MessageFiles,
    protected uploads: Uploads,
    protected approvals: Approvals
  ) {}

  async store({ auth, request, response }: HttpContext) {
    const { id: userId } = auth.user!
    const input = await request.validateUsing(chatValidator)
    const { conversationId, message = '', background } = input
    const sent = (input.attachments ?? []) as SentAttachment[]
    await this.files.whileSent({ userId, message, sent }, ({ attachments, uploads }) => {
      /** The stream bypasses the framework's response, so headers set by middleware are sent first. */
      response.relayHeaders()
      return this.chat.answer({
        agent: `user/${userId}`,
        conversationId: conversationId ?? null,
        message,
        attachments,
        background,
        onTaken: () => this.uploads.forget(userId, uploads),
        headers: request.headers(),
        response: response.response,
        requestId: request.id(),
      })
    })
  }

  /** Streams the answer in progress to a page that came back. */
  async follow({ auth, params, request, response }: HttpContext) {
    response.relayHeaders()
    await this.chat.follow(`user/${auth.user!.id}`, params.id, {
      response: response.response,
      requestId: request.id(),
    })
  }

  async stop({ auth, params, response }: HttpContext) {
    await this.chat.stop(`user/${auth.user!.id}`, params.id)
    return response.noContent()
  }

  async approve({ auth, params, request, response }: HttpContext) {
    const { decision } = await request.validateUsing(approvalAnswerValidator)
    const { id, approval } = params
    await this.approvals.answer(`user/${auth.user!.id}`, id, approval, decision)
    return response.noContent()
  }
}

import { inject } from '@adonisjs/core'
import type { HttpContext } from '@adonisjs/core/http'
import { E_UPLOAD_FORM } from '#chat/errors'
import { Uploads } from '#chat/uploads'
import { uploadValidator } from '#validators/chat'

/** The caller's uploads that wait for a message. */
@inject()
export default class UploadsController {
  constructor(protected uploads: Uploads) {}

  async store({ auth, request, response }: HttpContext) {
    if (!request.is(['json'])) throw new E_UPLOAD_FORM()
    const file = await request.validateUsing(uploadValidator)
    response.status(201)
    return { data: await this.uploads.add(auth.user!.id, file) }
  }

  async destroy({ auth, params, response }: HttpContext) {
    await this.uploads.delete(auth.user!.id, params.id)
    return response.noContent()
  }
}

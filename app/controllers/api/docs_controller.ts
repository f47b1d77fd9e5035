import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { listed } from '#models/page'
import { pageValidator } from '#validators/identity'
import { Handbook } from '#handbook/handbook'

/** `/api/v1/docs`: this version's documentation by chapter, as Markdown. */
export default class DocsController {
  readonly #handbook = new Handbook(app.makePath('docs'))

  async index({ request }: HttpContext) {
    const query = await pageValidator.validate(request.qs())
    return listed(await this.#handbook.list(), query)
  }

  async show({ params }: HttpContext) {
    return { data: await this.#handbook.read(params.chapter) }
  }
}
